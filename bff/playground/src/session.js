// The session of this browser tab. It ends when the tab closes.
const key = 'minidouyin-session'

export const endpoint = new URL('/graphql', location.href).href

// currentSession returns { name, token, expiresAt }, or null if nobody is signed in or the token has expired.
export function currentSession() {
  const session = JSON.parse(sessionStorage.getItem(key))
  return session && session.expiresAt > Date.now() ? session : null
}

// authorization returns the header with the session's token, or no header without a session.
export function authorization() {
  const session = currentSession()
  return session ? { Authorization: `Bearer ${session.token}` } : {}
}

// signIn returns the new session. It throws an error with a message for the user.
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

// signOut deletes the session and returns null.
export function signOut() {
  sessionStorage.removeItem(key)
  return null
}
