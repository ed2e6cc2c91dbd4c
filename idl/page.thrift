// Keyset paging, shared by every list of the three services.
namespace go page

// A position in a list that is ordered newest first: by created_at, then by id.
struct Cursor {
  1: i64 created_at // milliseconds since 1970 UTC
  2: i64 id
}

// A page of a list: at most limit rows after the cursor, or from the newest on without one.
struct Page {
  1: i32 limit
  2: optional Cursor after
}
