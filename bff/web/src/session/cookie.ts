// The session is a cookie that scripts cannot read. The server sets it in exchange for the token of a sign-in.

async function request(method: 'POST' | 'DELETE', body: string | null) {
  const response = await fetch('/session', {
    method,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'minidouyin' },
    body,
  })
  if (!response.ok) throw new Error(`session: ${response.status}`)
}

export const setCookie = (token: string) => request('POST', JSON.stringify({ token }))
export const clearCookie = () => request('DELETE', null)
