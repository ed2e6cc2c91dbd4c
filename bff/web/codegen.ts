import type { CodegenConfig } from '@graphql-codegen/cli'
import { type DocumentNode, Kind, visit } from 'graphql'

// addTypenames adds __typename to every selection set except the root, as the cache requires. Codegen does this before it
// hashes the documents.
function addTypenames(document: DocumentNode): DocumentNode {
  const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const
  return visit(document, {
    SelectionSet: (set, _key, parent) =>
      parent && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION ? undefined : { ...set, selections: [typename, ...set.selections] },
  })
}

// Codegen writes types for the operations in src, and the persisted documents by hash, which the server trusts.
const config: CodegenConfig = {
  schema: '../../graph/schema.graphql',
  documents: 'src/**/*.graphql',
  generates: {
    './src/gql/': {
      preset: 'client',
      documentTransforms: [
        {
          transform: ({ documents }) =>
            documents.map((file) => ({ ...file, document: file.document && addTypenames(file.document) })),
        },
      ],
      presetConfig: {
        fragmentMasking: { unmaskFunctionName: 'unmask' },
        persistedDocuments: { hashAlgorithm: 'sha256', mode: 'embedHashInDocument' },
      },
      config: {
        scalars: { Timestamp: 'number', Int64: 'number', Upload: 'File' },
        strictScalars: true,
        useTypeImports: true,
      },
    },
  },
}

export default config
