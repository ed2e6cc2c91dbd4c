package basics

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

type user struct {
	ID            int64
	Name          string `gorm:"size:32;not null"`
	NameKey       string `gorm:"size:600;not null;uniqueIndex:users_name_key"`
	PasswordHash  string `gorm:"size:200;not null"`
	Signature     string `gorm:"size:100;not null"`
	AvatarKey     string `gorm:"size:200;not null"`
	BackgroundKey string `gorm:"size:200;not null"`
	VideoCount    int64  `gorm:"not null"`
	CreatedAt     int64  `gorm:"not null;autoCreateTime:false"`
}

func (u *user) wire() *basics.User {
	return &basics.User{
		ID: u.ID, Name: u.Name, Signature: u.Signature, AvatarKey: u.AvatarKey, BackgroundKey: u.BackgroundKey,
		VideoCount: u.VideoCount, CreatedAt: u.CreatedAt,
	}
}

// nameKey returns the unique form of a name. Names that differ only in case, width, composition or invisible characters
// have the same form. A character becomes at most 18, so 32 characters fit the column.
func nameKey(name string) string {
	visible := argument.WithoutInvisible(norm.NFKC.String(name))
	return strings.TrimSpace(norm.NFKC.String(cases.Fold().String(visible)))
}

// createUser stores the user and sets its id. Code: AlreadyExists.
func (s *store) createUser(ctx context.Context, u *user) error {
	u.NameKey, u.CreatedAt = nameKey(u.Name), now()
	err := s.write(ctx, func(tx *gorm.DB, also cache.Also) error {
		u.ID = 0
		err := tx.Create(u).Error
		also(s.caches.users.Key(u.ID)) // its absence may be cached
		return err
	})
	return wrapName("create user", err)
}

// userByName returns the user with the name in any case, password hash included, or a zero user.
func (s *store) userByName(ctx context.Context, name string) (user, error) {
	var found []user
	if err := s.db.Read(ctx).Where("name_key = ?", nameKey(name)).Find(&found).Error; err != nil {
		return user{}, fmt.Errorf("find user by name: %w", err)
	}
	if len(found) == 0 {
		return user{}, nil
	}
	return found[0], nil
}

// users returns those that exist.
func (s *store) users(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
	return s.caches.users.Get(ctx, ids, s.readUsers)
}

func (s *store) readUsers(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
	var found []user
	if err := s.db.Read(ctx).Omit("PasswordHash", "NameKey").Where("id IN ?", ids).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("get users: %w", err)
	}
	users := make(map[int64]*basics.User, len(found))
	for _, u := range found {
		users[u.ID] = u.wire()
	}
	return users, nil
}

// profile is a change of a user. Nil fields stay as they are.
type profile struct {
	name, signature, avatarKey, backgroundKey *string
}

// updateProfile changes the user and returns the changed user. Replaced pictures get removals, new ones lose their
// reservations. Codes: NotFound, AlreadyExists.
func (s *store) updateProfile(ctx context.Context, id int64, change profile) (*basics.User, error) {
	var u user
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) (err error) {
		if u, err = lockUser(tx, id); err != nil {
			return err
		}
		if change.name != nil {
			u.Name, u.NameKey = *change.name, nameKey(*change.name)
		}
		if change.signature != nil {
			u.Signature = *change.signature
		}
		if err := errors.Join(
			replaceFile(tx, &u.AvatarKey, change.avatarKey),
			replaceFile(tx, &u.BackgroundKey, change.backgroundKey),
		); err != nil {
			return err
		}
		return tx.Select("Name", "NameKey", "Signature", "AvatarKey", "BackgroundKey").Updates(&u).Error
	}, s.caches.users.Key(id))
	if err != nil {
		return nil, wrapName("update profile", err)
	}
	return u.wire(), nil
}

// deleteUser deletes the user and all its videos, and adds removals for what other services and the file store hold
// of them. Code: NotFound.
func (s *store) deleteUser(ctx context.Context, id int64) error {
	err := s.write(ctx, func(tx *gorm.DB, also cache.Also) error {
		u, err := lockUser(tx, id) // blocks publishing as this user
		if err != nil {
			return err
		}
		videos, err := deleteVideosOf(tx, id)
		if err != nil {
			return err
		}
		for _, video := range videos {
			also(s.caches.videos.Key(video))
		}
		if err := tx.Delete(&u).Error; err != nil {
			return err
		}
		return addRemovals(tx, append(filesDue(u.AvatarKey, u.BackgroundKey), twice(removal{UserID: id})...))
	}, s.caches.videoKeys(id)...)
	if err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

func lockUser(tx *gorm.DB, id int64) (user, error) {
	var found []user
	if err := database.Locked(tx).Where("id = ?", id).Find(&found).Error; err != nil {
		return user{}, err
	}
	if len(found) == 0 {
		return user{}, errNoUser()
	}
	return found[0], nil
}

func errNoUser() error { return codes.Errorf(codes.NotFound, "no such user") }

func errNameTaken() error { return codes.Errorf(codes.AlreadyExists, "this name is taken") }

// wrapName converts a conflict on the only unique name to its code.
func wrapName(action string, err error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errNameTaken()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}
