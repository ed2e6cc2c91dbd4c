import { useText } from '../text/text'
import { characterCount } from './form'

export const maxTitleLength = 50 // characters

// TitleField edits the title of a video. It does not cut a long title, because that would break input methods.
export function TitleField({ title, setTitle, disabled }: { title: string; setTitle: (title: string) => void; disabled: boolean }) {
  const { t } = useText()
  const length = characterCount(title)
  return (
    <label className="field">
      {t.title}
      <textarea
        value={title}
        onChange={(event) => setTitle(event.target.value.replaceAll('\n', ' '))}
        rows={2}
        required
        placeholder={t.titleHint}
        disabled={disabled}
      />
      <span className={length > maxTitleLength ? 'counter form-error' : 'secondary counter'}>{length} / {maxTitleLength}</span>
    </label>
  )
}

// isValidTitle reports whether the server accepts a title.
export const isValidTitle = (title: string) => title.trim() !== '' && characterCount(title) <= maxTitleLength
