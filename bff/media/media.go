// Package media keeps the files of videos and pictures, from the upload to the player.
//
// An upload goes through four steps, and each can be undone until the last: Spool streams it into a temporary file,
// StageVideo or StagePicture judges it by its content and prepares what will be served (the index of an MP4 moved to
// its front, a cover, a re-encoded picture), the caller writes the keys down, and Staged.Commit moves the files into
// the store. [Media] is also the handler that serves them under /media/.
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

// Config says where the files live and what is accepted.
type Config struct {
	Dir             string        // data folder: temporary files are under Dir/tmp
	Store           blob.Config   // where files are kept; its Folder and Log may be left out
	Presign         bool          // send players to the store on S3 with a signed address, in place of reading it for them
	PresignBase     string        // the S3 endpoint as players reach it; "" = as Store says
	MaxVideoBytes   int64         // largest video; 0 = 128 MiB
	MaxPictureBytes int64         // largest picture; 0 = 5 MiB
	FFmpeg          string        // path of ffmpeg; "" = look in PATH, "-" = never use it
	FFprobe         string        // path of ffprobe; "" = look in PATH, "-" = never use it
	CoverTimeout    time.Duration // time for one cover, and for one look of ffprobe; 0 = 10 s
	Jobs            int           // how many videos and pictures are worked on at once; 0 = GOMAXPROCS
	Memory          int64         // bytes that this work takes at once, with child processes; 0 = 2/3 of the process's limit
	Log             *slog.Logger  // nil = slog.Default()
}

// Media takes uploads in one data folder and keeps their files in a store, which several of them may share. Its methods
// may be called concurrently. A process opens one: its budget of memory is that of the process.
type Media struct {
	cfg      Config
	store    blob.Store
	presign  func(ctx context.Context, key string) (string, error) // nil = files are read through us
	tmp      string
	ffmpeg   string // "" = not to be used
	ffprobe  string // "" = not to be used
	jobs     chan struct{}
	memory   *budget
	defaults map[string][]byte // the pictures of users without their own, by key
}

var _ http.Handler = (*Media)(nil)

// Open opens the store, makes the folders and removes what an earlier process left in Dir/tmp; so the caller must hold
// the data folder's lock. It fails when the store cannot be used, the folders cannot be made or a program named in cfg
// is not there.
func Open(ctx context.Context, cfg Config) (*Media, error) {
	if cfg.MaxVideoBytes == 0 {
		cfg.MaxVideoBytes = 128 << 20
	}
	if cfg.MaxPictureBytes == 0 {
		cfg.MaxPictureBytes = 5 << 20
	}
	if cfg.CoverTimeout == 0 {
		cfg.CoverTimeout = 10 * time.Second
	}
	if cfg.Jobs <= 0 {
		cfg.Jobs = runtime.GOMAXPROCS(0)
	}
	if cfg.Memory <= 0 {
		cfg.Memory = processMemory() / 3 * 2
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	m := &Media{
		cfg:  cfg,
		tmp:  filepath.Join(cfg.Dir, "tmp"),
		jobs: make(chan struct{}, cfg.Jobs),

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
		return nil, fmt.Errorf("sweep temporary files: %w", err)
	}
	if err := os.MkdirAll(m.tmp, 0o750); err != nil {
		return nil, fmt.Errorf("make media folder: %w", err)
	}
	cfg.Store.Folder = cmp.Or(cfg.Store.Folder, filepath.Join(cfg.Dir, "blobs"))
	cfg.Store.Log = cmp.Or(cfg.Store.Log, cfg.Log)
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

// program returns the path of a program, "" when it must not or cannot be used.
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

// Spool streams r into a temporary file and returns it, positioned at its start; Release removes it. More than limit
// bytes are refused with codes.TooLarge, a body that breaks off with codes.InvalidArgument; then no file is left.
func (m *Media) Spool(r io.Reader, limit int64) (*os.File, error) {
	f, err := os.CreateTemp(m.tmp, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("create temporary file: %w", err)
	}
	body := &source{r: io.LimitReader(r, limit+1)}
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

func (m *Media) discard(temp string) {
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		m.cfg.Log.Warn("remove temporary file", "error", err)
	}
}

// begin waits for a free place among the jobs, in order of arrival; end gives it back. It fails when ctx ends, and with
// codes.RateLimited after queueTimeout.
func (m *Media) begin(ctx context.Context) (end func(), err error) {
	select {
	case m.jobs <- struct{}{}:
		return func() { <-m.jobs }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(queueTimeout):
		return nil, errBusy
	}
}

// source remembers why reading failed: that is the sender's fault, where a failed write is ours.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// readError gives a code to an error of reading what a client sent.
func readError(err error) error {
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return tooLarge(limit.Limit)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), codes.Of(err) != codes.Internal:
		return err
	default:
		return refuse("the upload broke off")
	}
}

func tooLarge(limit int64) error {
	if limit < 1<<20 {
		return codes.Errorf(codes.TooLarge, "the file is larger than %d bytes", limit)
	}
	return codes.Errorf(codes.TooLarge, "the file is larger than %d MiB", limit>>20)
}

func refuse(message string) error {
	return codes.Errorf(codes.InvalidArgument, "%s", message)
}
