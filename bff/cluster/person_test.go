//go:build unix

package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requestTimeout is longer than the product's own time-outs.
const requestTimeout = 20 * time.Second

// person is somebody who uses the product from outside.
type person struct {
	url, name, token string
	id               int64
	http             *http.Client
}

func newPerson(url, name string) *person {
	return &person{url: url, name: name, http: &http.Client{
		Timeout: requestTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
}

// refusal is an answer that says no.
type refusal struct{ code, text string }

func (r refusal) Error() string { return r.code + ": " + r.text }

// codeOf returns the code of a refusal: "transport" when there was no answer of the product.
func codeOf(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.code
	}
	return "transport"
}

// send sends a request and decodes the JSON of the answer into it.
func (p *person) send(r *http.Request, answer any) error {
	response, err := p.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: %.200s", response.Status, body)
	}
	return nil
}

// rest calls a REST route with everything in the query, and the token if there is one.
func (p *person) rest(ctx context.Context, method, path string, answer any, query ...string) error {
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	if p.token != "" {
		values.Set("token", p.token)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.url+path+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := p.send(r, &raw); err != nil {
		return err
	}
	var status struct {
		Code *int   `json:"status_code"`
		Text string `json:"status_msg"`
	}
	if err := json.Unmarshal(raw, &status); err != nil || status.Code == nil {
		return fmt.Errorf("no answer of the product: %.200s", raw)
	}
	if *status.Code != 0 {
		return refusal{"REST " + strconv.Itoa(*status.Code), status.Text}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// graphql runs an operation, as a mutation must be sent.
func (p *person) graphql(ctx context.Context, query string, variables map[string]any, answer any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return p.operation(r, answer)
}

// query runs a query by GET, which may be repeated on the way.
func (p *person) query(ctx context.Context, query string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/graphql?query="+url.QueryEscape(query), nil)
	if err != nil {
		return err
	}
	return p.operation(r, answer)
}

func (p *person) operation(r *http.Request, answer any) error {
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	var response struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := p.send(r, &response); err != nil {
		return err
	}
	if len(response.Errors) > 0 {
		return refusal{response.Errors[0].Extensions.Code, response.Errors[0].Message}
	}
	if response.Data == nil {
		return errors.New("no answer of the product")
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(response.Data, answer)
}

const password = "secret"

// register opens the account and keeps the session.
func (p *person) register(ctx context.Context) error {
	return p.session(ctx, "/douyin/user/register/")
}

func (p *person) login(ctx context.Context) error { return p.session(ctx, "/douyin/user/login/") }

func (p *person) session(ctx context.Context, path string) error {
	var answer struct {
		ID    int64 `json:"user_id"`
		Token string
	}
	if err := p.rest(ctx, http.MethodPost, path, &answer, "username", p.name, "password", password); err != nil {
		return err
	}
	p.id, p.token = answer.ID, answer.Token
	return nil
}

// publish publishes a video.
func (p *person) publish(ctx context.Context, title string) error {
	video, err := os.ReadFile("../demo/files/pendulum.mp4")
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body) // a buffer takes everything, so nothing here can fail
	_ = form.WriteField("token", p.token)
	_ = form.WriteField("title", title)
	part, _ := form.CreateFormFile("data", "video.mp4")
	_, _ = part.Write(video)
	_ = form.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/douyin/publish/action/", &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	var answer struct {
		Code int    `json:"status_code"`
		Text string `json:"status_msg"`
	}
	if err := p.send(r, &answer); err != nil {
		return err
	}
	if answer.Code != 0 {
		return refusal{"REST " + strconv.Itoa(answer.Code), answer.Text}
	}
	return nil
}

// videosEach is how many videos each of a crowd has published.
const videosEach = 3

// crowd registers people who have published videos, and returns them with the ids of the videos, newest first.
func crowd(t *testing.T, url string, n int) (people []*person, videos []int64) {
	t.Helper()
	for i := range n {
		p := newPerson(url, fmt.Sprintf("person-%d", i+1))
		require.NoError(t, p.register(t.Context()))
		for range videosEach {
			require.NoError(t, p.publish(t.Context(), "video of "+p.name))
		}
		people = append(people, p)
	}
	var feed struct {
		Feed struct{ Nodes []struct{ DatabaseID int64 } }
	}
	require.NoError(t, people[0].query(t.Context(), `{ feed(first: 100) { nodes { databaseId } } }`, &feed))
	for _, node := range feed.Feed.Nodes {
		videos = append(videos, node.DatabaseID)
	}
	require.Len(t, videos, n*videosEach)
	return people, videos
}
