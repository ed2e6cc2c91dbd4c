package guard

// Limits bound what one operation may ask for. Each stops an attack that is a case of TestAttacks.
type Limits struct {
	Document int // bytes of a document
	Name     int // bytes of a name in a document

	Tokens     int // tokens of a document
	Fields     int // fields written in a document
	Depth      int // fields within fields
	Aliases    int // aliases of an operation
	RootFields int // fields of an operation on the first level
	Nodes      int // fields and fragments of an operation, fragments expanded: nested fragments multiply

	IntrospectionDepth int // fields below __schema and __type, within each other
	IntrospectionLists int // lists of types and fields there, within each other

	Cost   int // items of all lists of an operation: nested lists multiply
	Answer int // bytes of a response, estimated from its fields and items
}

// DefaultLimits returns limits that no ordinary client reaches.
func DefaultLimits() Limits {
	return Limits{
		Document: 64 << 10, Name: 100,
		Tokens: 3000, Fields: 500, Depth: 12, Aliases: 50, RootFields: 20, Nodes: 2000,
		IntrospectionDepth: 16, IntrospectionLists: 2,
		Cost: 20_000, Answer: 4 << 20,
	}
}
