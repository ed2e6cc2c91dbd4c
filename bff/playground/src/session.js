// The session of this browser tab: it ends when the tab is closed.
const key = 'minidouyin-session'

export const endpoint = new URL('/graphql', location.href).href

// currentSession returns { name, token }, or null for a visitor.
export function currentSession() {
  const session = JSON.parse(sessionStorage.getItem(key))
  return session && session.expiresAt > Date.now() ? session : null
}

// authorization returns the header that speaks for the session, none for a visitor.
export function authorization() {
  const session = currentSession()
  return session ? { Authorization: `Bearer ${session.token}` } : {}
}

// signIn returns the new session; it throws an error with a message for the user.
export async function signIn(name, password) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({
      query: 'mutation SignIn($input: LoginInput!) { login(input: $input) { token expiresAt user { name } } }',
      variables: { input: { name, password } },
    }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  const { token, expiresAt, user } = data.login
  const session = { name: user.name, token, expiresAt }
  sessionStorage.setItem(key, JSON.stringify(session))
  return session
}

// signOut forgets the session and returns what is left: none.
export function signOut() {
  sessionStorage.removeItem(key)
  return null
}
