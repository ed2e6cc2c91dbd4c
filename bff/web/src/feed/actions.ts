import { useCallback } from 'react'
import type { AnyVariables, Client, TypedDocumentNode } from 'urql'
import { FollowDocument, UnfollowDocument, LikeDocument, UnlikeDocument, type SlideFragment } from '../gql/graphql'
import { useToast } from '../parts/toast'
import { useSession } from '../session/session'
import { useWords } from '../text/text'

// useChange returns how to run a mutation as the viewer: a visitor signs in first, and it goes on then. What fails is said, and
// failed is called.
export function useChange() {
  const { whenSignedIn } = useSession()
  const { problem } = useWords()
  const toast = useToast()
  return useCallback(
    <Data, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, variables: Variables, done?: (data: Data) => void, failed?: () => void) => {
      whenSignedIn((client: Client) => {
        void client.mutation(mutation, variables).then(({ data, error }) => {
          if (error) {
            toast(problem(error))
            failed?.()
          } else if (data) done?.(data)
        })
      })
    },
    [whenSignedIn, problem, toast],
  )
}

// useLike returns how to like a video, or to take the like back.
export function useLike() {
  const change = useChange()
  return useCallback(
    (video: SlideFragment, likes: boolean) => {
      if (likes) change(LikeDocument, { video: video.id })
      else change(UnlikeDocument, { video: video.id })
    },
    [change],
  )
}

// useFollow returns how to follow a user, or to stop it.
export function useFollow() {
  const change = useChange()
  return useCallback(
    (user: { id: string }, follows: boolean) => {
      if (follows) change(FollowDocument, { user: user.id })
      else change(UnfollowDocument, { user: user.id })
    },
    [change],
  )
}

// useShare returns how to hand on the link of a video: by the device's own dialog, else by the clipboard.
export function useShare() {
  const toast = useToast()
  const { t } = useWords()
  return useCallback(
    async (video: SlideFragment) => {
      const url = new URL(`/video/${video.databaseId}`, location.href).href
      const sheet = (navigator as { share?: (data: ShareData) => Promise<void> }).share
      if (sheet && window.matchMedia('(pointer: coarse)').matches) {
        await navigator.share({ title: video.title, url }).catch(() => undefined) // closed without sharing
        return
      }
      await copy(url)
      toast(t.linkCopied)
    },
    [toast, t],
  )
}

// copy writes to the clipboard, also where the page is not secure enough for the newer way.
async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    document.body.append(field)
    field.select()
    document.execCommand('copy') // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way over http
    field.remove()
  }
}
