package interaction

import (
	"context"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/database"
)

// Alone is the service that writes each like in a transaction of its own, for comparison.
type Alone struct{ *Handler }

// NewAlone returns the service on a database that has its schema.
func NewAlone(db *database.DB) *Alone {
	return &Alone{&Handler{store: &store{db: db, caches: newCaches(nil)}}}
}

// LikeVideo implements [interaction.InteractionService].
func (a *Alone) LikeVideo(ctx context.Context, req *interaction.LikeVideoRequest) (*interaction.LikeVideoResponse, error) {
	l := like{UserID: req.UserID, VideoID: req.VideoID, AuthorID: req.AuthorID, Liked: 1}
	return &interaction.LikeVideoResponse{}, a.store.changeLikes(ctx, []like{l}, byCommit)[0]
}
