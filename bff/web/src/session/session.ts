import { createContext, use } from 'react'
import type { Client } from 'urql'
import type { ViewerFragment } from '../gql/graphql'

// Session is the browser's session: who the viewer is, and how to sign in and out.
export interface Session {
  viewer: ViewerFragment | null
  // signedIn reports whether to query fields that need a viewer. Until the viewer is loaded, it has the value of the last visit.
  signedIn: boolean
  // loaded reports whether the server has responded with the viewer or an error.
  loaded: boolean
  openSignIn: () => void
  // whenSignedIn calls run now, or after the user has signed in.
  whenSignedIn: (run: (client: Client) => void) => void
  start: (token: string) => Promise<void>
  end: () => Promise<void>
}

export const SessionContext = createContext<Session | null>(null)

// useSession returns the session.
export function useSession(): Session {
  const session = use(SessionContext)
  if (!session) throw new Error('no SessionProvider')
  return session
}
