import { Film, UploadCloud, Video } from 'lucide-react'
import { type SyntheticEvent, useEffect, useMemo, useRef, useState } from 'react'
import { type CombinedError, useClient } from 'urql'
import { useLocation } from 'wouter'
import { PublishDocument, type PublishVideoInput } from '../gql/graphql'
import { lengthOf } from '../parts/hooks'
import { longestTitle, TitleField } from '../parts/TitleField'
import { useToast } from '../parts/toast'
import { useWords } from '../text/text'
import { Camera } from './Camera'
import { type Frame, readFrames } from './frames'
import { sendWithProgress } from './upload'
import './publish.css'

// Publish takes a video from the device or the camera, a title and a cover, and sends them.
export default function Publish() {
  const { t } = useWords()
  const [file, setFile] = useState<File | null>(null)
  const [wrong, setWrong] = useState(false)
  const [over, setOver] = useState(false)
  const [recording, setRecording] = useState(false)

  function choose(chosen: File | undefined) {
    if (!chosen) return
    const isVideo = chosen.type.startsWith('video/')
    setWrong(!isVideo)
    if (isVideo) setFile(chosen)
  }

  if (file) return <Draft key={`${file.name} ${file.lastModified}`} file={file} other={() => setFile(null)} />
  return (
    <div className="page publish">
      <h1>{t.publish}</h1>
      <p className="quiet">{t.publishWhy}</p>
      <label
        className="drop"
        data-over={over}
        onDragOver={(event) => { event.preventDefault(); setOver(true) }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          choose(event.dataTransfer.files[0])
        }}
      >
        <UploadCloud aria-hidden />
        <b>{t.pick}</b>
        <span>{t.drop}</span>
        <small>{t.formats}</small>
        <input type="file" className="hidden" accept="video/*" aria-label={t.pick} onChange={(event) => choose(event.target.files?.[0])} />
      </label>
      <p className="form-problem" role="alert">{wrong && t.notAVideo}</p>
      <button type="button" className="button wide" onClick={() => setRecording(true)}><Video size={18} /> {t.record}</button>
      {recording && <Camera close={() => setRecording(false)} done={(made) => { setRecording(false); choose(made) }} />}
    </div>
  )
}

const frameCount = 6

const sizeOf = ({ size }: File) => (size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`)

function Draft({ file, other }: { file: File; other: () => void }) {
  const { t, problem } = useWords()
  const client = useClient()
  const toast = useToast()
  const [, go] = useLocation()
  const [frames, setFrames] = useState<Frame[]>([])
  const [cover, setCover] = useState(0)
  const [title, setTitle] = useState('')
  const [share, setShare] = useState<number | null>(null) // of the upload; null when there is none
  const [failed, setFailed] = useState<CombinedError | null>(null)
  const upload = useRef<AbortController | null>(null)
  const url = useMemo(() => URL.createObjectURL(file), [file])

  useEffect(() => {
    const reading = new AbortController()
    let made: Frame[] = []
    void readFrames(url, frameCount, reading.signal).then((read) => {
      made = read
      if (reading.signal.aborted) for (const frame of read) URL.revokeObjectURL(frame.url)
      else setFrames(read)
    })
    return () => {
      reading.abort()
      for (const frame of made) URL.revokeObjectURL(frame.url)
    }
  }, [url])
  useEffect(() => () => upload.current?.abort(), [])

  async function submit(event: SyntheticEvent) {
    event.preventDefault()
    const sending = new AbortController()
    upload.current = sending
    setFailed(null)
    setShare(0)
    const chosen = frames[cover]
    const input: PublishVideoInput = { title: title.trim(), file }
    if (chosen) input.cover = new File([chosen.blob], 'cover.jpg', { type: chosen.blob.type })
    const result = await client.mutation(PublishDocument, { input, signedIn: true }, { fetch: sendWithProgress(sending.signal, setShare) })
    setShare(null)
    if (sending.signal.aborted) return toast(t.cancelled)
    if (result.error) return setFailed(result.error)
    toast(t.published)
    go('/')
  }

  const busy = share !== null
  const percent = Math.floor((share ?? 0) * 100)
  return (
    <form className="page publish draft" onSubmit={(event) => void submit(event)}>
      <div className="draft-preview">
        <video src={url} poster={frames[cover]?.url} controls muted loop playsInline aria-label={file.name} />
      </div>
      <div className="draft-fields">
        <h1>{t.publish}</h1>
        <p className="draft-file"><Film size={16} aria-hidden /> <span>{file.name}</span> <span className="quiet">{sizeOf(file)}</span></p>
        <TitleField title={title} change={setTitle} disabled={busy} />
        {frames.length > 0 && (
          <fieldset className="frames" disabled={busy}>
            <legend>{t.cover} <span className="quiet">{t.coverHint}</span></legend>
            {frames.map((frame, i) => (
              <label key={frame.url} className="frame">
                <input type="radio" name="cover" className="hidden" checked={cover === i} onChange={() => setCover(i)} aria-label={t.frame(i + 1)} />
                <img src={frame.url} alt="" />
              </label>
            ))}
          </fieldset>
        )}
        <p className="form-problem" role="alert">{failed && problem(failed)}</p>
        {busy ? (
          <div className="upload">
            <progress max={1} value={share} aria-label={t.uploading(percent)} />
            <span aria-live="polite">{share < 1 ? t.uploading(percent) : t.checking}</span>
            <button type="button" className="button" onClick={() => upload.current?.abort()}>{t.cancel}</button>
          </div>
        ) : (
          <div className="upload">
            <button type="button" className="button" onClick={other}>{t.chooseOther}</button>
            <button type="submit" className="button primary" disabled={!title.trim() || lengthOf(title) > longestTitle}>{t.publishNow}</button>
          </div>
        )}
      </div>
    </form>
  )
}
