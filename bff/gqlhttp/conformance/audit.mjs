// Runs the audits of GraphQL over HTTP against the endpoint that is given and prints how many there are and which are
// not passed, in one line of JSON.
import { auditServer } from 'graphql-http'

const results = await auditServer({ url: process.argv[2], fetchFn: fetch })
const failures = results
  .filter((result) => result.status !== 'ok')
  .map(({ id, name, status, reason }) => ({ id, name, status, reason: String(reason) }))
console.log(JSON.stringify({ audits: results.length, failures }))
