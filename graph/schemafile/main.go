// Command schemafile writes the schema of all *.graphqls files to schema.graphql, for tools that read one file.
package main

import (
	"bytes"
	"log"
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

func main() {
	log.SetFlags(0)
	names, err := filepath.Glob("*.graphqls")
	if err != nil {
		log.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	formatter.NewFormatter(&out).FormatSchema(schema)
	if err := os.WriteFile("schema.graphql", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
