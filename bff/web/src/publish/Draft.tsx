import { Film } from 'lucide-react'
import { type SyntheticEvent, useEffect, useMemo, useRef, useState } from 'react'
import { type CombinedError, useClient } from 'urql'
import { useLocation } from 'wouter'
import { PublishDocument, type PublishVideoInput } from '../gql/graphql'
import { useText } from '../text/text'
import { isValidTitle, TitleField } from '../ui/TitleField'
import { useToast } from '../ui/toast'
import { type Frame, useFrames } from './frames'
import { fetchWithProgress } from './upload'

const formatSize = ({ size }: File) => (size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`)

// Draft is a video that is not published yet, with a title and a cover.
export function Draft({ file, discard }: { file: File; discard: () => void }) {
  const { t, errorText } = useText()
  const url = useMemo(() => URL.createObjectURL(file), [file])
  const frames = useFrames(url)
  const [cover, setCover] = useState(0)
  const [title, setTitle] = useState('')
  const { progress, error, publish, cancel } = usePublish()
  const busy = progress !== null

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const input: PublishVideoInput = { title: title.trim(), file }
    const frame = frames[cover]
    if (frame) input.cover = new File([frame.blob], 'cover.jpg', { type: frame.blob.type })
    void publish(input)
  }

  return (
    <form className="page publish draft" onSubmit={submit}>
      <div className="draft-preview">
        <video src={url} poster={frames[cover]?.url} controls muted loop playsInline aria-label={file.name} />
      </div>
      <div className="draft-fields">
        <h1>{t.publish}</h1>
        <p className="draft-file"><Film size={16} aria-hidden /> <span>{file.name}</span> <span className="secondary">{formatSize(file)}</span></p>
        <TitleField title={title} setTitle={setTitle} disabled={busy} />
        {frames.length > 0 && <CoverField frames={frames} cover={cover} setCover={setCover} disabled={busy} />}
        <p className="form-error" role="alert">{error && errorText(error)}</p>
        {busy ? <Progress share={progress} cancel={cancel} /> : (
          <div className="upload">
            <button type="button" className="button" onClick={discard}>{t.chooseOther}</button>
            <button type="submit" className="button primary" disabled={!isValidTitle(title)}>{t.publishNow}</button>
          </div>
        )}
      </div>
    </form>
  )
}

interface CoverFieldProps {
  frames: Frame[]
  cover: number
  setCover: (cover: number) => void
  disabled: boolean
}

// CoverField chooses one of the frames as the cover.
function CoverField({ frames, cover, setCover, disabled }: CoverFieldProps) {
  const { t } = useText()
  return (
    <fieldset className="frames" disabled={disabled}>
      <legend>{t.cover} <span className="secondary">{t.coverHint}</span></legend>
      {frames.map((frame, i) => (
        <label key={frame.url} className="frame">
          <input type="radio" name="cover" className="hidden" checked={cover === i} onChange={() => setCover(i)} aria-label={t.frame(i + 1)} />
          <img src={frame.url} alt="" />
        </label>
      ))}
    </fieldset>
  )
}

function Progress({ share, cancel }: { share: number; cancel: () => void }) {
  const { t } = useText()
  const text = t.uploading(Math.floor(share * 100))
  return (
    <div className="upload">
      <progress max={1} value={share} aria-label={text} />
      <span aria-live="polite">{share < 1 ? text : t.checking}</span>
      <button type="button" className="button" onClick={cancel}>{t.cancel}</button>
    </div>
  )
}

// usePublish returns a function that publishes a video and then opens the feed. progress is the share of the upload, null
// while there is none.
function usePublish() {
  const { t } = useText()
  const client = useClient()
  const toast = useToast()
  const [, navigate] = useLocation()
  const [progress, setProgress] = useState<number | null>(null)
  const [error, setError] = useState<CombinedError | null>(null)
  const upload = useRef<AbortController | null>(null)
  const cancel = () => upload.current?.abort()
  useEffect(() => () => upload.current?.abort(), [])

  async function publish(input: PublishVideoInput) {
    const controller = new AbortController()
    upload.current = controller
    setError(null)
    setProgress(0)
    const result = await client.mutation(PublishDocument, { input, signedIn: true }, { fetch: fetchWithProgress(controller.signal, setProgress) })
    setProgress(null)
    if (controller.signal.aborted) return toast(t.cancelled)
    if (result.error) return setError(result.error)
    toast(t.published)
    navigate('/')
  }
  return { progress, error, publish, cancel }
}
