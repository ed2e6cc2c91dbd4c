import type { CodegenConfig } from '@graphql-codegen/cli'
import { type DocumentNode, Kind, visit } from 'graphql'

// The cache asks for __typename in every selection but the outermost. It must be there before the texts are hashed.
function withTypenames(document: DocumentNode): DocumentNode {
  const name = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const
  return visit(document, {
    SelectionSet: (set, _key, parent) =>
      parent && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION ? undefined : { ...set, selections: [name, ...set.selections] },
  })
}

// Types for the operations in src, and the texts of the operations by their hash, which the server trusts.
const config: CodegenConfig = {
  schema: '../../graph/schema.graphql',
  documents: 'src/**/*.graphql',
  generates: {
    './src/gql/': {
      preset: 'client',
      documentTransforms: [
        {
          transform: ({ documents }) =>
            documents.map((file) => ({ ...file, document: file.document && withTypenames(file.document) })),
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
