import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './page.css'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import { GraphiQL } from 'graphiql'
import { fetcher } from './fetcher.js'
import { currentSession, signIn, signOut } from './session.js'

// Each file in examples is a tab. The tabs are sorted by file name.
const files = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true })
const examples = Object.keys(files).sort().map((name) => ({ query: files[name] }))

function SignIn() {
  const [session, setSession] = useState(currentSession)
  const [problem, setProblem] = useState('')

  async function submit(event) {
    event.preventDefault()
    const form = new FormData(event.target)
    try {
      setSession(await signIn(form.get('name'), form.get('password')))
      setProblem('')
    } catch (error) {
      setProblem(error.message)
    }
  }

  if (session) {
    return (
      <div className="session">
        <span>
          Signed in as <b>{session.name}</b>. Requests send your token.
        </span>
        <button onClick={() => setSession(signOut())}>Sign out</button>
      </div>
    )
  }
  return (
    <form className="session" onSubmit={submit}>
      <input name="name" placeholder="Name" aria-label="Name" autoComplete="username" required />
      <input name="password" type="password" placeholder="Password" aria-label="Password" autoComplete="current-password" required />
      <button>Sign in</button>
      <span role="alert">{problem}</span>
    </form>
  )
}

createRoot(document.getElementById('root')).render(
  <>
    <header>
      <b>minidouyin</b>
      <SignIn />
    </header>
    <main>
      <GraphiQL fetcher={fetcher} defaultTabs={examples} defaultEditorToolsVisibility={false}>
        <GraphiQL.Logo> </GraphiQL.Logo>
      </GraphiQL>
    </main>
  </>,
)
