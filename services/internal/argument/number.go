package argument

import (
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
)

// The largest requests that are served.
const (
	maxIDs  = 1000    // ids in one batch
	maxRows = 1000    // rows in one page
	maxRead = 100_000 // ids times rows of one request
)

// ID refuses an id that no row can have. The name says whose it is: "user", "video".
func ID(name string, id int64) error {
	if id <= 0 {
		return codes.Errorf(codes.InvalidArgument, "%s id must be positive", name)
	}
	return nil
}

// Viewer refuses an id that is neither a user's nor 0, which stands for a visitor.
func Viewer(id int64) error {
	if id < 0 {
		return codes.Errorf(codes.InvalidArgument, "viewer id must not be negative")
	}
	return nil
}

// IDs refuses too many ids and ids that no row can have. No ids at all and repeated ones are fine.
func IDs(name string, ids []int64) error {
	if len(ids) > maxIDs {
		return codes.Errorf(codes.InvalidArgument, "at most %d %s ids in one request", maxIDs, name)
	}
	for _, id := range ids {
		if err := ID(name, id); err != nil {
			return err
		}
	}
	return nil
}

// Limit refuses a page that is empty or too large.
func Limit(limit int32) error {
	if limit < 1 || limit > maxRows {
		return codes.Errorf(codes.InvalidArgument, "limit must be between 1 and %d", maxRows)
	}
	return nil
}

// Page refuses a missing page and one that is empty or too large.
func Page(p *page.Page) error {
	if p == nil {
		return codes.Errorf(codes.InvalidArgument, "page is missing")
	}
	return Limit(p.Limit)
}

// Pages refuses what [IDs] and [Page] refuse, and requests for too many rows in all.
func Pages(name string, ids []int64, p *page.Page) error {
	if err := IDs(name, ids); err != nil {
		return err
	}
	if err := Page(p); err != nil {
		return err
	}
	if len(ids)*int(p.Limit) > maxRead {
		return codes.Errorf(codes.InvalidArgument, "at most %d rows in one request", maxRead)
	}
	return nil
}

// First returns the first error there is.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
