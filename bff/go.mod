module minidouyin/bff

go 1.26.0

require (
	github.com/Eyevinn/mp4ff v0.48.0
	github.com/hajimehoshi/bitmapfont/v4 v4.1.0
	golang.org/x/image v0.44.0
	minidouyin/compat v0.0.0
	minidouyin/graph v0.0.0
	minidouyin/idl v0.0.0
	minidouyin/services v0.0.0
)

require (
	github.com/99designs/gqlgen v0.17.98 // indirect
	github.com/agnivade/levenshtein v1.2.2 // indirect
	github.com/alecthomas/kong v1.14.0 // indirect
	github.com/cloudwego/kitex v0.16.3 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/go-chi/chi/v5 v5.5.0 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/gofrs/flock v0.13.0 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/golang/protobuf v1.5.4 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/pierrec/lz4/v4 v4.1.22 // indirect
	github.com/sosodev/duration v1.4.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/urfave/cli/v3 v3.14.0 // indirect
	github.com/vektah/gqlparser/v2 v2.5.64 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	google.golang.org/genproto v0.0.0-20210513213006-bf773b8c8384 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	minidouyin/compat => ../compat
	minidouyin/graph => ../graph
	minidouyin/idl => ../idl
	minidouyin/services => ../services
)
