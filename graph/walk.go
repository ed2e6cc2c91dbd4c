package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
)

// walk loads what an operation selects below one root field. It resolves breadth-first: collect the keys of a level,
// flush each loader once, attach the results, descend. So each level costs one call for each kind of data, whatever
// the size of the page, and the number of calls follows from the operation alone. What a field needs loaded is in the
// table of [fields].
type walk struct {
	resolver *Resolver
	fields   *fields
	viewer   int64
	loaders  *loaders
	attach   []func() // attaches the results of the present level and collects the keys of the next one
	items    int      // the number of list items requested at most
}

// maxItems bounds the items of all lists under one root field: the sizes of nested lists multiply.
const maxItems = 20_000

func (r *Resolver) walk(ctx context.Context) *walk {
	viewer := ViewerID(ctx)
	return &walk{fields: r.fields, resolver: r, viewer: viewer, loaders: newLoaders(r.Config, viewer)}
}

// loadSelected loads what the operation selects of the object of the root field.
func loadSelected[T any](ctx context.Context, r *Resolver, typ *objectType[T], root T) {
	w := r.walk(ctx)
	fill(ctx, w, typ, selected(ctx), []T{root})
	w.run()
}

// run loads level by level until no keys are left.
func (w *walk) run() {
	for len(w.attach) > 0 {
		level := w.attach
		w.attach = nil
		w.loaders.flush()
		for _, attach := range level {
			attach()
		}
	}
}

// then adds a function that runs when the present level is loaded, after those added before it.
func (w *walk) then(attach func()) { w.attach = append(w.attach, attach) }

// fill collects the keys of all loads that the selection needs of these objects.
func fill[T any](ctx context.Context, w *walk, typ *objectType[T], sel selection, objects []T) {
	if len(objects) == 0 {
		return
	}
	for _, needed := range typ.selected(ctx, sel) {
		needed.load.run(w, ctx, objects, needed.fields)
	}
}

// fillMember returns the load of a field whose object is there with its row: it fills that object.
func fillMember[T, O any](typ *objectType[*O], object func(T) *O) *load[T] {
	return &load[T]{func(w *walk, ctx context.Context, parents []T, selected []graphql.CollectedField) {
		var objects []*O
		for _, parent := range parents {
			if o := object(parent); o != nil {
				objects = append(objects, o)
			}
		}
		fill(ctx, w, typ, below(selected), objects)
	}}
}

// loadKeys adds keys to the batch of a loader. attach gets the result of each key by its index.
func loadKeys[K comparable, V any](
	ctx context.Context, w *walk, loader *dataloader.Loader[K, V], keys []K, attach func(i int, value V, err error),
) {
	thunks := make([]dataloader.Thunk[V], len(keys))
	for i, key := range keys {
		thunks[i] = loader.Load(ctx, key)
	}
	w.then(func() {
		for i, thunk := range thunks {
			value, err := thunk()
			attach(i, value, err)
		}
	})
}

// loadStats loads a part of objects by their IDs. part returns where the part of an object is kept.
func loadStats[V any](
	ctx context.Context, w *walk, loader *dataloader.Loader[int64, *V], ids []int64, part func(i int) *model.Joined[V],
) {
	loadKeys(ctx, w, loader, ids, func(i int, value *V, err error) {
		if err != nil {
			*part(i) = model.Failed[V](err)
		} else {
			*part(i) = model.Loaded(*value)
		}
	})
}

// loadPages loads the selected pages of a list field of many objects. connect makes connections of the loaded pages and
// collects the keys of their items. pages returns where the pages of an object are kept.
func loadPages[V, N any](
	ctx context.Context, w *walk, loader *dataloader.Loader[pageKey, V], ids []int64, selected []graphql.CollectedField,
	connect func(context.Context, selection, pageRange, []V) []*model.Connection[N],
	pages func(i int) *model.Pages[N],
) {
	owners := distinct(ids)
	for _, field := range pageFields(ctx, selected) {
		w.items += len(owners) * int(field.pages.limit)
		if w.items > maxItems && field.err == nil {
			field.err = codes.Errorf(codes.InvalidArgument, "this asks for too many items at once, please ask for smaller pages")
		}
		results := make(map[int64]model.Joined[*model.Connection[N]], len(owners))
		var found []V
		var foundOf []int64
		if field.err != nil {
			for _, id := range owners {
				results[id] = model.Failed[*model.Connection[N]](field.err)
			}
		} else {
			keys := make([]pageKey, len(owners))
			for i, id := range owners {
				keys[i] = pageKey{id, field.pages}
			}
			loadKeys(ctx, w, loader, keys, func(i int, page V, err error) {
				if err != nil {
					results[owners[i]] = model.Failed[*model.Connection[N]](err)
				} else {
					found, foundOf = append(found, page), append(foundOf, owners[i])
				}
			})
		}
		w.then(func() {
			for i, connection := range connect(ctx, field.below, field.pages, found) {
				results[foundOf[i]] = model.Loaded(connection)
			}
			for i, id := range ids {
				pages(i).Set(field.args, results[id])
			}
		})
	}
}

// joinObject returns the object that newObject makes of a loaded row, nil if there is no row with its ID.
func joinObject[T any](err error, newObject func() *T) model.Joined[*T] {
	switch {
	case codes.Of(err) == codes.NotFound:
		return model.Loaded[*T](nil)
	case err != nil:
		return model.Failed[*T](err)
	default:
		return model.Loaded(newObject())
	}
}

// distinct returns the IDs sorted and each once.
func distinct(ids []int64) []int64 {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// item is a position of a page whose object is loaded by its ID.
type item[T any] struct {
	page          *model.Connection[*T]
	createdAt, id int64
}

// join adds the loaded object to the page. A deleted one is left out; one that failed to load fails the page.
func (i item[T]) join(object model.Joined[*T]) {
	value, err := object.Get()
	switch {
	case err != nil:
		i.page.Fail(err)
	case value != nil:
		i.page.Add(i.createdAt, i.id, value)
	}
}
