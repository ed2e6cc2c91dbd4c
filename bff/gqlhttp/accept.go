package gqlhttp

import (
	"net/http"

	"github.com/elnormous/contenttype"
)

// The media types of answers.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
)

var (
	typeJSON    = contenttype.NewMediaType(mediaJSON)
	typeGraphQL = contenttype.NewMediaType(mediaGraphQL)
	typeEvents  = contenttype.NewMediaType(mediaEvents)
	// answerTypes in the order of preference where the client has none: application/json is what clients of old expect.
	answerTypes = []contenttype.MediaType{typeJSON, typeGraphQL, typeEvents}
)

// negotiate returns the media type that the client wants of the answer; ok is false when it wants none of ours.
func negotiate(r *http.Request) (media string, ok bool) {
	if r.Header.Get("Accept") == "" {
		return mediaJSON, true
	}
	accepted, _, err := contenttype.GetAcceptableMediaType(r, answerTypes)
	if err != nil {
		return "", false
	}
	return accepted.MIME(), true
}

// acceptsEvents reports whether the client wants the answer as a stream of events.
func acceptsEvents(r *http.Request) bool {
	media, _ := negotiate(r)
	return media == mediaEvents
}

// mediaOf returns the media type of an answer that is one piece of JSON.
func mediaOf(r *http.Request) string {
	if media, ok := negotiate(r); ok && media != mediaEvents && !isUpgrade(r) {
		return media
	}
	return mediaJSON
}
