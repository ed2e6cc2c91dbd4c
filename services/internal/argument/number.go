package argument

import (
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
)

// The limits of a request.
const (
	maxIDs  = 1000    // ids in one batch
	maxRows = 1000    // rows in one page
	maxRead = 100_000 // ids times rows of one request
)

// ID refuses an id that is not positive. The name is that of its owner in errors: "user", "video".
func ID(name string, id int64) error {
	if id <= 0 {
		return codes.Errorf(codes.InvalidArgument, "%s id must be positive", name)
	}
	return nil
}

// Viewer refuses a negative id. 0 is an anonymous viewer.
func Viewer(id int64) error {
	if id < 0 {
		return codes.Errorf(codes.InvalidArgument, "viewer id must not be negative")
	}
	return nil
}

// IDs refuses too many ids and ids that are not positive. No ids and repeated ids are valid.
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

// Pages refuses what [IDs] and [Page] refuse, and requests for too many rows.
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

// First returns the first error that is not nil.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
