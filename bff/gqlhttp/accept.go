package gqlhttp

import (
	"net/http"

	"github.com/elnormous/contenttype"
)

// The media types of responses.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
)

var (
	typeJSON    = contenttype.NewMediaType(mediaJSON)
	typeGraphQL = contenttype.NewMediaType(mediaGraphQL)
	typeEvents  = contenttype.NewMediaType(mediaEvents)
	// answerTypes are in our order of preference: old clients expect application/json.
	answerTypes = []contenttype.MediaType{typeJSON, typeGraphQL, typeEvents}
)

// negotiate returns the media type of the response that the client prefers; ok is false if it accepts none of ours.
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

// acceptsEvents reports whether the client prefers a stream of events.
func acceptsEvents(r *http.Request) bool {
	media, _ := negotiate(r)
	return media == mediaEvents
}

// mediaOf returns the media type of a response that is not a stream.
func mediaOf(r *http.Request) string {
	if media, ok := negotiate(r); ok && media != mediaEvents && !isUpgrade(r) {
		return media
	}
	return mediaJSON
}
