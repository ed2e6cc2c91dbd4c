package basics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/argument"
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

// nameKey returns the form of a name that is unique: names that differ only in case, width, composition or in
// characters that cannot be seen are one. A character becomes at most 18, so 32 of them fit the column.
func nameKey(name string) string {
	seen := argument.WithoutInvisible(norm.NFKC.String(name))
	return strings.TrimSpace(norm.NFKC.String(cases.Fold().String(seen)))
}

// tables keeps users, videos and removals in the database.
type tables struct {
	db *database.DB
}

func now() int64 { return time.Now().UnixMilli() }

// createUser stores the user and sets its id. Code: AlreadyExists.
func (s *tables) createUser(ctx context.Context, u *user) error {
	u.NameKey, u.CreatedAt = nameKey(u.Name), now()
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		u.ID = 0
		return tx.Create(u).Error
	})
	return wrapName("create user", err)
}

// userByName returns the user who has that name in any case, with the password's hash; without one, a zero user.
func (s *tables) userByName(ctx context.Context, name string) (user, error) {
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
func (s *tables) users(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
	if len(ids) == 0 {
		return map[int64]*basics.User{}, nil
	}
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

// profile is a change of a user: what is nil stays.
type profile struct {
	name, signature, avatarKey, backgroundKey *string
}

// updateProfile changes the user and returns it as it is then. Pictures that were replaced become
// removals; the reservations of the new ones are struck out. Codes: NotFound, AlreadyExists.
func (s *tables) updateProfile(ctx context.Context, id int64, change profile) (*basics.User, error) {
	var u user
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		var err error
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
	})
	if err != nil {
		return nil, wrapName("update profile", err)
	}
	return u.wire(), nil
}

// deleteUser deletes the user and all its videos, and writes removals for all that other places hold of them.
// It returns the videos. Code: NotFound.
func (s *tables) deleteUser(ctx context.Context, id int64) (videos []int64, err error) {
	err = s.db.Write(ctx, func(tx *gorm.DB) error {
		u, err := lockUser(tx, id) // from here on, nobody publishes as this user
		if err != nil {
			return err
		}
		if videos, err = deleteVideosOf(tx, id); err != nil {
			return err
		}
		if err := tx.Delete(&u).Error; err != nil {
			return err
		}
		return addRemovals(tx, append(filesDue(u.AvatarKey, u.BackgroundKey), twice(removal{UserID: id})...))
	})
	if err != nil {
		return nil, fmt.Errorf("delete user: %w", err)
	}
	return videos, nil
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

func errTaken() error { return codes.Errorf(codes.AlreadyExists, "this name is taken") }

// wrapName gives the conflict of the only unique name its code.
func wrapName(verb string, err error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errTaken()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}
