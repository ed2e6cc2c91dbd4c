// The session is a cookie that scripts cannot read. The server sets it in exchange for the token of a sign-in.

async function request(method: 'POST' | 'DELETE', body?: unknown) {
  const response = await fetch('/session', {
    method,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'minidouyin' },
    body: body === undefined ? null : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`session: ${response.status}`)
}

export const setCookie = (token: string) => request('POST', { token })
export const clearCookie = () => request('DELETE')
