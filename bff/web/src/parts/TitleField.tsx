import { useWords } from '../text/text'
import { lengthOf } from './hooks'

export const longestTitle = 50 // characters

// TitleField is for the title of a video. What is too long is not cut, which would disturb those who compose characters.
export function TitleField({ title, change, disabled }: { title: string; change: (title: string) => void; disabled: boolean }) {
  const { t } = useWords()
  const length = lengthOf(title)
  return (
    <label className="field">
      {t.title}
      <textarea value={title} onChange={(event) => change(event.target.value.replaceAll('\n', ' '))} rows={2} required placeholder={t.titleHint} disabled={disabled} />
      <span className={length > longestTitle ? 'counter form-problem' : 'quiet counter'}>{length} / {longestTitle}</span>
    </label>
  )
}
