// Package media takes uploaded videos and pictures, stores their files and serves them.
//
// An upload has four steps, and each can be undone until the last: Spool streams it into a temporary file, StageVideo
// or StagePicture checks its content and prepares the files to be served (an MP4 with its index at the front, a cover,
// a re-encoded picture), the caller records their keys, and Staged.Commit moves them into the store. [Media] is also
// the handler that serves them under /media/.
package media

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"minidouyin/bff/media/blob"
	"minidouyin/idl/codes"
)

// Config says where files are stored and which uploads are accepted.
type Config struct {
	Dir             string        // data folder; temporary files are in Dir/tmp
	Store           blob.Config   // where files are stored; by default in Dir/blobs
	Presign         bool          // redirect players to S3 with a presigned URL
	PresignBase     string        // S3 endpoint for players; "" = that of Store
	MaxVideoBytes   int64         // largest video; 0 = 128 MiB
	MaxPictureBytes int64         // largest picture; 0 = 5 MiB
	FFmpeg          string        // path of ffmpeg; "" = that in PATH if any, "-" = none
	FFprobe         string        // path of ffprobe; "" = that in PATH if any, "-" = none
	CoverTimeout    time.Duration // for one cover, and for one run of ffprobe; 0 = 10 s
	Jobs            int           // videos and pictures processed at once; 0 = GOMAXPROCS
	Memory          int64         // bytes that processing may take, child processes included; 0 = 2/3 of the limit of the process
	Log             *slog.Logger  // nil = slog.Default()
}

// Media processes uploads in a data folder of its own and stores their files, in a store that several may share. Its
// methods may be called concurrently. A process opens only one, because the memory budget is for the whole process.
type Media struct {
	cfg      Config
	store    blob.Store
	presign  func(ctx context.Context, key string) (string, error) // nil = files are served by this process
	tmp      string
	ffmpeg   string // path; "" = none
	ffprobe  string // path; "" = none
	jobs     chan struct{}
	memory   *budget
	defaults map[string][]byte // default pictures by key
}

var _ http.Handler = (*Media)(nil)

// Open opens the store, creates the folders and removes the temporary files of an earlier process, so the caller must
// hold the lock of the data folder. It returns an error if the store is unusable, a folder cannot be created or a
// program named in cfg does not exist.
func Open(ctx context.Context, cfg Config) (*Media, error) {
	cfg.setDefaults()
	m := &Media{
		cfg:    cfg,
		tmp:    filepath.Join(cfg.Dir, "tmp"),
		jobs:   make(chan struct{}, cfg.Jobs),
		memory: newBudget(cfg.Memory),
	}
	var err error
	if m.ffmpeg, err = program("ffmpeg", cfg.FFmpeg); err != nil {
		return nil, err
	}
	if m.ffprobe, err = program("ffprobe", cfg.FFprobe); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(m.tmp); err != nil {
		return nil, fmt.Errorf("remove temporary files: %w", err)
	}
	if err := os.MkdirAll(m.tmp, 0o750); err != nil {
		return nil, fmt.Errorf("create folder of temporary files: %w", err)
	}
	if m.store, err = blob.Open(ctx, cfg.Store); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if cfg.Presign {
		if m.presign, err = blob.Presigner(m.store, cfg.PresignBase); err != nil {
			return nil, fmt.Errorf("open the store: %w", err)
		}
	}
	if m.defaults, err = defaults(); err != nil {
		return nil, fmt.Errorf("draw default pictures: %w", err)
	}
	return m, nil
}

func (c *Config) setDefaults() {
	c.MaxVideoBytes = cmp.Or(c.MaxVideoBytes, 128<<20)
	c.MaxPictureBytes = cmp.Or(c.MaxPictureBytes, 5<<20)
	c.CoverTimeout = cmp.Or(c.CoverTimeout, 10*time.Second)
	if c.Jobs <= 0 {
		c.Jobs = runtime.GOMAXPROCS(0)
	}
	if c.Memory <= 0 {
		c.Memory = processMemory() / 3 * 2
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	c.Store.Folder = cmp.Or(c.Store.Folder, filepath.Join(c.Dir, "blobs"))
	c.Store.Log = cmp.Or(c.Store.Log, c.Log)
}

// program returns the absolute path of a program, "" if there is none.
func program(name, configured string) (string, error) {
	switch configured {
	case "-":
		return "", nil
	case "":
		path, err := exec.LookPath(name)
		if err != nil {
			return "", nil // it is optional
		}
		return filepath.Abs(path)
	default:
		path, err := exec.LookPath(configured)
		if err != nil {
			return "", fmt.Errorf("find %s: %w", name, err)
		}
		return filepath.Abs(path)
	}
}

// Spool streams r into a temporary file and returns it, at offset 0. Release removes it. If r has more than limit bytes
// it returns an error with codes.TooLarge, if r fails one with codes.InvalidArgument, and no file is left.
func (m *Media) Spool(r io.Reader, limit int64) (*os.File, error) {
	f, err := os.CreateTemp(m.tmp, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("create temporary file: %w", err)
	}
	body := &errReader{r: io.LimitReader(r, limit+1)}
	n, err := io.Copy(f, body)
	switch {
	case body.err != nil:
		err = readError(body.err)
	case err != nil:
		err = fmt.Errorf("write temporary file: %w", err)
	case n > limit:
		err = tooLarge(limit)
	default:
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		m.Release(f)
		return nil, err
	}
	return f, nil
}

// Release closes and removes a file that Spool returned.
func (m *Media) Release(f *os.File) {
	_ = f.Close()
	m.discard(f.Name())
}

// discard removes a temporary file if it exists.
func (m *Media) discard(temp string) {
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		m.cfg.Log.Warn("cannot remove temporary file, the next start removes it", "error", err)
	}
}

// acquireJob waits until fewer than Config.Jobs files are processed, in order of arrival. It returns an error if ctx
// ends, and one with codes.RateLimited after queueTimeout.
func (m *Media) acquireJob(ctx context.Context) (release func(), err error) {
	select {
	case m.jobs <- struct{}{}:
		return func() { <-m.jobs }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(queueTimeout):
		return nil, errBusy
	}
}

// errReader records the error of a reader, to tell it from an error of the writer in a copy.
type errReader struct {
	r   io.Reader
	err error
}

// Read reads from the reader.
func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

// readError returns an error of reading an upload with a code.
func readError(err error) error {
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return tooLarge(limit.Limit)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), codes.Of(err) != codes.Internal:
		return err
	default:
		return invalid("the upload broke off")
	}
}

// tooLarge returns the error for a file over the limit in bytes.
func tooLarge(limit int64) error {
	if limit < 1<<20 {
		return codes.Errorf(codes.TooLarge, "the file is larger than %d bytes", limit)
	}
	return codes.Errorf(codes.TooLarge, "the file is larger than %d MiB", limit>>20)
}

// invalid returns an error with codes.InvalidArgument.
func invalid(message string) error {
	return codes.Errorf(codes.InvalidArgument, "%s", message)
}
