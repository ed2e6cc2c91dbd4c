// trimmedField returns a text field of a form without the space around it.
export function trimmedField(form: FormData, name: string) {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

// characterCount counts characters as the server does: an emoji is one.
export const characterCount = (text: string) => Array.from(text.trim()).length
