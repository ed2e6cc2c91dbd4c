package compat

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The values of extensions.code that this package uses.
const (
	internal            = "INTERNAL"
	invalidArgument     = "INVALID_ARGUMENT"
	unauthenticated     = "UNAUTHENTICATED"
	notFound            = "NOT_FOUND"
	tooLarge            = "TOO_LARGE"
	upstreamUnavailable = "UPSTREAM_UNAVAILABLE"
)

// statuses maps each code to its status_code and HTTP status. Clients depend on the numbers: none may change.
var statuses = map[string]struct {
	code int32
	http int
}{
	internal:            {1, http.StatusOK},
	invalidArgument:     {2, http.StatusOK},
	unauthenticated:     {3, http.StatusOK},
	"PERMISSION_DENIED": {4, http.StatusOK},
	notFound:            {5, http.StatusOK},
	"ALREADY_EXISTS":    {6, http.StatusOK},
	tooLarge:            {7, http.StatusRequestEntityTooLarge},
	"RATE_LIMITED":      {8, http.StatusTooManyRequests},
	upstreamUnavailable: {9, http.StatusServiceUnavailable},
}

// refusal is an error whose message the client may read.
type refusal struct {
	code, message string
}

func (r *refusal) Error() string { return r.message }

func refuse(code, message string) *refusal {
	return &refusal{code, message}
}

// refusalOf returns the code and message of err for the client: those of a coded error, else a fixed internal error.
func refusalOf(err error) *refusal {
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	var coded *gqlerror.Error
	if errors.As(err, &coded) {
		code, _ := coded.Extensions["code"].(string)
		if _, known := statuses[code]; known && code != internal {
			return refuse(code, coded.Message)
		}
	}
	return refuse(internal, "internal error")
}

// writeRefusal writes the response of err, with the zero values of the operation's fields if the operation is known.
func writeRefusal(w http.ResponseWriter, op *operation, err error) {
	refusal, fields := refusalOf(err), ""
	if op != nil {
		fields = op.response.zeroFields
	}
	writeResponse(w, statuses[refusal.code].http, refusal, fields)
}

// writeResponse writes status_code, status_msg and the fields, each after a comma. refusal is nil for success.
func writeResponse(w http.ResponseWriter, status int, refusal *refusal, fields string) {
	var code int32
	message := []byte(`""`)
	if refusal != nil {
		code, message = statuses[refusal.code].code, quote(refusal.message)
	}
	body := make([]byte, 0, len(fields)+len(message)+64)
	body = append(body, `{"status_code":`...)
	body = strconv.AppendInt(body, int64(code), 10)
	body = append(body, `,"status_msg":`...)
	body = append(body, message...)
	body = append(body, fields...)
	body = append(body, '}')

	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client disconnected
}

// quote returns the text as a JSON string without HTML escapes.
func quote(text string) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}
