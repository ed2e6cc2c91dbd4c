package bff

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/redis/go-redis/v9"

	"minidouyin/bff/auth"
	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/media"
	"minidouyin/bff/media/blob"
	"minidouyin/bff/middleware"
	"minidouyin/bff/web"
	"minidouyin/graph"
)

// Config is the configuration of the HTTP server. The tags are the command line: each flag has an environment variable of
// the same name, as --max-upload and DOUYIN_MAX_UPLOAD.
type Config struct {
	Addr          string        `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	Data          string        `default:"./data" help:"Folder of all data: files, databases, the signing key."`
	PublicURL     string        `name:"public-url" placeholder:"URL" help:"URL by which clients reach this server, such as https://video.example.org; without it, URLs of files have the Host of each request."`
	JWTKey        Secret        `name:"jwt-key" placeholder:"KEY" help:"Key that signs the tokens, at least 32 bytes; without it, the first start creates one in the data folder."`
	TokenTTL      time.Duration `name:"token-ttl" default:"720h" help:"How long a token is valid."`
	MaxUpload     Size          `name:"max-upload" default:"128MiB" help:"Largest video that may be uploaded."`
	ListLimit     int           `name:"list-limit" default:"1000" help:"Maximum number of items in a list of the REST routes, which have no pages."`
	Store         string        `name:"store" placeholder:"URL" help:"Where files are kept: file:///folder, or s3://bucket/prefix?endpoint=http://host:port&region=R&path-style=true&create=true, which several servers can share; without it, the folder blobs in the data folder."`
	S3AccessKey   Secret        `name:"s3-access-key" env:"DOUYIN_S3_ACCESS_KEY" placeholder:"KEY" help:"Access key of a store on S3; without it, AWS_ACCESS_KEY_ID, ~/.aws/credentials or the role of the machine."`
	S3SecretKey   Secret        `name:"s3-secret-key" env:"DOUYIN_S3_SECRET_KEY" placeholder:"KEY" help:"Secret key that belongs to --s3-access-key."`
	MediaURLs     string        `name:"media-urls" default:"proxy" enum:"proxy,presigned,public" help:"How players get files: proxy, through this server; presigned, it redirects them to a presigned URL of the store on S3; public, URLs of files begin with --media-base."`
	MediaBase     string        `name:"media-base" placeholder:"URL" help:"With public, what the URLs of files begin with, such as that of a CDN; with presigned, the S3 endpoint as players reach it."`
	FFmpeg        string        `name:"ffmpeg" placeholder:"PATH" help:"The ffmpeg to make covers with; without it, the one in PATH; - for none."`
	FFprobe       string        `name:"ffprobe" placeholder:"PATH" help:"The ffprobe to check videos other than MP4 with; without it, the one in PATH; - for none."`
	Introspection bool          `default:"true" negatable:"" help:"Let clients read the schema, and serve a page that explores it at /playground."`
	Web           bool          `default:"true" negatable:"" help:"Serve the web client at /."`

	RateLimit       int      `name:"rate-limit" default:"1000000" help:"Units of work a minute for each user, or for each address of anonymous requests: one for each request and one for each item of a list; 0 for no limit."`
	SignInLimit     int      `name:"sign-in-limit" default:"120" help:"Attempts to sign in or to register a minute for each address; 0 for no limit."`
	UploadLimit     int      `name:"upload-limit" default:"20" help:"Uploads at once for each address; 0 for no limit."`
	ConnectionLimit int      `name:"connection-limit" default:"1000" help:"Sockets and streams of events at once for each address; 0 for no limit."`
	CORSOrigins     []string `name:"cors-origins" placeholder:"ORIGIN,..." help:"Other sites whose pages may use this server, such as https://app.example.org."`
	TrustedProxies  []string `name:"trusted-proxies" placeholder:"PREFIX,..." help:"Proxies that name the client in X-Forwarded-For, such as 10.0.0.0/8; without it, the client is the peer of the connection."`

	TrustedDocuments string            `name:"trusted-documents" placeholder:"FILE" help:"Manifest of documents that clients name by their documentId: a JSON object of texts by their SHA-256, as graphql-codegen writes it."`
	TrustedOnly      bool              `name:"trusted-only" help:"Run only trusted documents; the REST routes are not affected."`
	trusted          documents.Trusted // what Validate has read

	// Shared is the Redis of all processes that serve HTTP: for the events of subscriptions, the counters of the limits,
	// and automatic persisted queries. The caller opens and closes it; nil = there is only this process.
	Shared redis.UniversalClient `kong:"-"`

	// SoleWriter means that no other process publishes into the same stores, so that a crash has left everything that is
	// found incomplete at the start.
	SoleWriter bool `kong:"-"`
}

// Validate returns an error that names the flag with a wrong value. It reads the trusted documents.
func (c *Config) Validate() error {
	if err := CheckAddr(c.Addr); err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if c.Data == "" {
		return errors.New("--data: a folder is needed")
	}
	for flag, path := range map[string]string{"--ffmpeg": c.FFmpeg, "--ffprobe": c.FFprobe} {
		if path == "" || path == "-" {
			continue
		}
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	if c.JWTKey != "" && len(c.JWTKey) < auth.MinKeyBytes {
		return fmt.Errorf("--jwt-key: a key has at least %d bytes; `openssl rand -base64 32` makes one", auth.MinKeyBytes)
	}
	if c.TokenTTL < time.Minute {
		return fmt.Errorf("--token-ttl: a token is valid for at least a minute")
	}
	if c.MaxUpload < 1 {
		return fmt.Errorf("--max-upload: at least one byte")
	}
	if err := c.validateStore(); err != nil {
		return err
	}
	if c.ListLimit < 1 || c.ListLimit > 1000 {
		return fmt.Errorf("--list-limit: 1 to 1000")
	}
	if c.RateLimit < 0 || c.SignInLimit < 0 || c.UploadLimit < 0 || c.ConnectionLimit < 0 {
		return fmt.Errorf("--rate-limit, --sign-in-limit, --upload-limit, --connection-limit: 0 or more")
	}
	for _, origin := range c.CORSOrigins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("--cors-origins: %q is not an origin such as https://app.example.org", origin)
		}
	}
	for _, prefix := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(prefix); err != nil {
			return fmt.Errorf("--trusted-proxies: %q is not a prefix such as 10.0.0.0/8", prefix)
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
			return fmt.Errorf("--public-url: a URL such as https://video.example.org")
		}
	}
	return c.readTrusted()
}

// validateStore checks where files are kept and how they are reached.
func (c *Config) validateStore() error {
	if err := blob.CheckURL(c.Store); err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	if (c.S3AccessKey == "") != (c.S3SecretKey == "") {
		return errors.New("--s3-access-key, --s3-secret-key: one needs the other")
	}
	switch c.MediaURLs {
	case "presigned":
		if !c.sharesStore() {
			return errors.New("--media-urls: presigned needs a --store on S3")
		}
		if c.MediaBase != "" {
			if _, err := blob.ParseEndpoint(c.MediaBase); err != nil {
				return fmt.Errorf("--media-base: %w", err)
			}
		}
	case "public":
		if u, err := url.Parse(c.MediaBase); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
			return errors.New("--media-base: with --media-urls=public, a URL such as https://cdn.example.org/videos")
		}
	default:
		if c.MediaBase != "" {
			return errors.New("--media-base: needs --media-urls=public or presigned")
		}
	}
	return nil
}

// sharesStore reports whether files are stored on S3, which other servers may share.
func (c *Config) sharesStore() bool { return strings.HasPrefix(c.Store, "s3:") }

// readTrusted reads the trusted documents: those of the web client and those of the manifest.
func (c *Config) readTrusted() error {
	c.trusted = documents.Trusted{}
	if c.TrustedOnly && c.TrustedDocuments == "" && !c.Web {
		return errors.New("--trusted-only: needs --trusted-documents, or the web client")
	}
	schema := graph.NewSchema(graph.Config{}).Schema()
	read := func(manifest []byte) error {
		trusted, err := documents.ReadTrusted(schema, guard.DefaultLimits(), manifest)
		maps.Copy(c.trusted, trusted)
		return err
	}
	if c.Web {
		if err := read(web.Documents); err != nil {
			return fmt.Errorf("documents of the web client: %w", err)
		}
	}
	if c.TrustedDocuments != "" {
		manifest, err := os.ReadFile(c.TrustedDocuments)
		if err == nil {
			err = read(manifest)
		}
		if err != nil {
			return fmt.Errorf("--trusted-documents: %w", err)
		}
	}
	return nil
}

// formOrigins returns the origins whose pages may send forms: those allowed, and that of the public URL.
func (c *Config) formOrigins() []string {
	if own := middleware.OriginOf(c.PublicURL); own != "" {
		return append([]string{own}, c.CORSOrigins...)
	}
	return c.CORSOrigins
}

// CheckAddr returns an error unless an address has a host, or "" for all, and a port.
func CheckAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if n, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || n > 65535 {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8080", addr)
	}
	return nil
}

// Sessions returns the sessions of the configured key and lifetime.
func (c *Config) Sessions() (*auth.Sessions, error) {
	return auth.NewSessions(string(c.JWTKey), c.Data, c.TokenTTL)
}

// Media returns the configuration of the media store.
func (c *Config) Media(log *slog.Logger) media.Config {
	cfg := media.Config{Dir: c.Data, Store: blob.Config{URL: c.Store, AccessKey: string(c.S3AccessKey), SecretKey: string(c.S3SecretKey)},
		MaxVideoBytes: int64(c.MaxUpload), FFmpeg: c.FFmpeg, FFprobe: c.FFprobe, Log: log}
	if c.MediaURLs == "presigned" {
		cfg.Presign, cfg.PresignBase = true, c.MediaBase
	}
	return cfg
}

// Size is a number of bytes, written as 128MiB, 1GB or 1000.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64 {
		return fmt.Errorf("%q is not a size such as 128MiB", text)
	}
	*s = Size(n)
	return nil
}

// Secret is a value that is never printed.
type Secret string

// String hides the value.
func (Secret) String() string { return "(hidden)" }
