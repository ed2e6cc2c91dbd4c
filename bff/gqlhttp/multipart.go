package gqlhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

// viewersDirective is the directive of the schema on fields that refuse anonymous requests.
const viewersDirective = "auth"

// MultipartForm runs operations that are sent with files, as the GraphQL multipart request specification has it: the
// parts operations, map and the files, in this order. The files are streamed to disk. None is read when what comes
// before is wrong or has an operation that would not run.
type MultipartForm struct {
	Limits    Limits
	Spool     Spool
	Anonymous Anonymous // nil = no request is known to be anonymous
}

var _ graphql.Transport = MultipartForm{}

// Supports reports whether the request is a POST of a form that is not answered as a stream.
func (MultipartForm) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && isForm(r) && !acceptsEvents(r)
}

// Do runs the operations.
func (t MultipartForm) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	operations, err := t.read(r, exec)
	if err != nil {
		fail(w, r, exec, err)
		return
	}
	defer operations.release()
	operations.run(w, r, exec, t.Limits.Timeout)
}

func isForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "multipart/form-data"
}

// read reads a form. The batch must be released.
func (t MultipartForm) read(r *http.Request, exec graphql.GraphExecutor) (*batch, *requestError) {
	start := graphql.Now()
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errBrokenForm
	}
	text, refusal := t.readField(form, "operations")
	if refusal != nil {
		return nil, refusal
	}
	operations, refusal := readJSON(text, t.Limits)
	if refusal != nil {
		return nil, refusal
	}
	if text, refusal = t.readField(form, "map"); refusal != nil {
		return nil, refusal
	}
	places, refusal := t.readMap(text)
	if refusal != nil {
		return nil, refusal
	}
	operations.takesFile = map[*graphql.RawParams]bool{}
	for _, paths := range places {
		if !operations.attach(graphql.Upload{}, paths) {
			return nil, badRequest("the map names a place that operations does not have")
		}
	}
	if t.mayRun(r.Context(), operations, exec) {
		if refusal := t.readFiles(form, operations, places); refusal != nil {
			operations.release()
			return nil, refusal
		}
	}
	for _, params := range operations.params {
		complete(params, r.Header, start)
	}
	return operations, nil
}

// mayRun reports whether all operations may run. If not, those that may but take a file are marked as unread: running
// the others says what is wrong.
func (t MultipartForm) mayRun(ctx context.Context, operations *batch, exec graphql.GraphExecutor) bool {
	unread := map[*graphql.RawParams]bool{}
	runnable := 0
	for _, params := range operations.params {
		if t.mayRunOne(ctx, params, exec) {
			runnable++
			unread[params] = operations.takesFile[params]
		}
	}
	if runnable == len(operations.params) {
		return true
	}
	operations.unread = unread
	return false
}

// mayRunOne reports whether an operation passes what is checked before it runs.
func (t MultipartForm) mayRunOne(ctx context.Context, params *graphql.RawParams, exec graphql.GraphExecutor) bool {
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return false
	}
	if t.Anonymous == nil {
		return true
	}
	_, anonymous := t.Anonymous(ctx)
	return !anonymous || !forViewers(operation.Operation.SelectionSet)
}

// forViewers reports whether all fields of a selection on the first level refuse anonymous requests.
func forViewers(set ast.SelectionSet) bool {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			if selected.Name != "__typename" && selected.Definition.Directives.ForName(viewersDirective) == nil {
				return false
			}
		case *ast.InlineFragment:
			if !forViewers(selected.SelectionSet) {
				return false
			}
		case *ast.FragmentSpread:
			if !forViewers(selected.Definition.SelectionSet) {
				return false
			}
		}
	}
	return true
}

// readFiles stores the files of a form and attaches them to the operations. They are released with the batch, also after
// an error.
func (t MultipartForm) readFiles(form *multipart.Reader, into *batch, places map[string][]string) *requestError {
	var frees []func()
	into.release = func() {
		for _, free := range frees {
			free()
		}
	}
	for len(places) > 0 {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return badRequest("a file of the map is missing")
		}
		if err != nil {
			return errBrokenForm
		}
		paths, ok := places[part.FormName()]
		if !ok {
			return badRequest("the form has a part that is not in the map")
		}
		delete(places, part.FormName())
		upload, free, err := t.Spool(part, part.FileName(), part.Header.Get("Content-Type"))
		if codes.Of(err) == codes.TooLarge {
			return tooLarge(codes.Message(err))
		}
		if err != nil {
			return badRequest(codes.Message(err))
		}
		frees = append(frees, free)
		into.attach(upload, paths)
	}
	return nil
}

var errBrokenForm = badRequest("the form is broken or was cut off")

// readField reads the next part, which must have this name.
func (t MultipartForm) readField(form *multipart.Reader, name string) ([]byte, *requestError) {
	part, err := form.NextPart()
	if err != nil {
		return nil, errBrokenForm
	}
	if part.FormName() != name {
		return nil, badRequest("the parts operations and map come first, in this order")
	}
	text, err := io.ReadAll(io.LimitReader(part, t.Limits.Body+1))
	if err != nil {
		return nil, errBrokenForm
	}
	if int64(len(text)) > t.Limits.Body {
		return nil, tooLarge("the part " + name + " is too large")
	}
	return text, nil
}

// readMap reads the map of a form: the paths of the variables of each file.
func (t MultipartForm) readMap(text []byte) (map[string][]string, *requestError) {
	var places map[string][]string
	if err := json.Unmarshal(text, &places); err != nil {
		return nil, badRequest("the part map is not a JSON object of lists")
	}
	if len(places) > t.Limits.Files {
		return nil, tooLarge(fmt.Sprintf("a request takes at most %d files", t.Limits.Files))
	}
	return places, nil
}

// attach sets the variables that paths of the map name: `variables.x` of a single operation, or `0.variables.x` in a
// batch. It returns false if one of them does not exist.
func (b *batch) attach(upload graphql.Upload, paths []string) bool {
	for _, path := range paths {
		params := b.params[0]
		if !b.single {
			index, rest, _ := strings.Cut(path, ".")
			n, err := strconv.Atoi(index)
			if err != nil || n < 0 || n >= len(b.params) {
				return false
			}
			params, path = b.params[n], rest
		}
		path, ok := strings.CutPrefix(path, "variables.")
		if !ok || params.Variables == nil || !put(params.Variables, strings.Split(path, "."), upload) {
			return false
		}
		b.takesFile[params] = true
	}
	return true
}

// put sets the value at a path, which must be null or a file. It returns false if there is no such value.
func put(within any, path []string, upload graphql.Upload) bool {
	var present any
	var set func(any)
	switch within := within.(type) {
	case map[string]any:
		value, ok := within[path[0]]
		if !ok {
			return false
		}
		present, set = value, func(value any) { within[path[0]] = value }
	case []any:
		n, err := strconv.Atoi(path[0])
		if err != nil || n < 0 || n >= len(within) {
			return false
		}
		present, set = within[n], func(value any) { within[n] = value }
	default:
		return false
	}
	if len(path) > 1 {
		return put(present, path[1:], upload)
	}
	if _, isFile := present.(graphql.Upload); present != nil && !isFile {
		return false
	}
	set(upload)
	return true
}
