import { Trash2 } from 'lucide-react'
import { type SyntheticEvent, useState } from 'react'
import { useMutation } from 'urql'
import { useLocation } from 'wouter'
import { RemoveVideoDocument, RetitleDocument, type SlideFragment } from '../gql/graphql'
import { Drawer } from '../parts/Drawer'
import { lengthOf } from '../parts/hooks'
import { longestTitle, TitleField } from '../parts/TitleField'
import { useToast } from '../parts/toast'
import { useWords } from '../text/text'

// OwnVideo changes the title of one's own video, or deletes it for those who say so twice.
export default function OwnVideo({ video, close }: { video: SlideFragment; close: () => void }) {
  const { t, problem } = useWords()
  const toast = useToast()
  const [path, go] = useLocation()
  const [title, setTitle] = useState(video.title)
  const [sure, setSure] = useState(false)
  const [{ fetching: saving, error: refused }, retitle] = useMutation(RetitleDocument)
  const [{ fetching: removing, error: kept }, remove] = useMutation(RemoveVideoDocument)
  const busy = saving || removing
  const error = kept ?? refused

  async function save(event: SyntheticEvent) {
    event.preventDefault()
    if (title.trim() !== video.title) {
      if ((await retitle({ video: video.id, title: title.trim() })).error) return
      toast(t.saved)
    }
    close()
  }

  async function removeIt() {
    if ((await remove({ video: video.id })).error) return
    toast(t.deleted)
    if (path === `/video/${video.databaseId}`) go(`/user/${video.author?.databaseId}`, { replace: true })
  }

  return (
    <Drawer title={t.editVideo} close={close}>
      <form className="form" onSubmit={(event) => void save(event)}>
        <TitleField title={title} change={setTitle} disabled={busy} />
        <p className="form-problem" role="alert">{error && problem(error)}</p>
        <button type="submit" className="button primary wide" disabled={busy || !title.trim() || lengthOf(title) > longestTitle}>{t.save}</button>
        {sure ? (
          <div className="sure" role="group" aria-label={t.deleteVideo}>
            <p role="alert">{t.deleteWhy}</p>
            <button type="button" className="button" autoFocus disabled={busy} onClick={() => setSure(false)}>{t.cancel}</button>
            <button type="button" className="button danger" disabled={busy} onClick={() => void removeIt()}>{t.deleteForGood}</button>
          </div>
        ) : (
          <button type="button" className="button danger wide" disabled={busy} onClick={() => setSure(true)}><Trash2 size={16} /> {t.deleteVideo}</button>
        )}
      </form>
    </Drawer>
  )
}
