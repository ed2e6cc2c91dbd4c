import { useCallback } from 'react'
import type { AnyVariables, Client, TypedDocumentNode } from 'urql'
import { FollowDocument, UnfollowDocument, LikeDocument, UnlikeDocument, type SlideFragment } from '../gql/graphql'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { useToast } from '../ui/toast'

// useViewerMutation returns a function that runs a mutation as the viewer. An anonymous user signs in first, then the
// mutation runs. An error shows a toast and calls failed.
export function useViewerMutation() {
  const { whenSignedIn } = useSession()
  const { errorText } = useText()
  const toast = useToast()
  return useCallback(
    <Data, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, variables: Variables, done?: () => void, failed?: () => void) => {
      whenSignedIn((client: Client) => {
        void client.mutation(mutation, variables).then(({ data, error }) => {
          if (error) {
            toast(errorText(error))
            failed?.()
          } else if (data) done?.()
        })
      })
    },
    [whenSignedIn, errorText, toast],
  )
}

// useLike returns a function that likes or unlikes a video.
export function useLike() {
  const mutate = useViewerMutation()
  return useCallback(
    (video: SlideFragment, like: boolean) => {
      if (like) mutate(LikeDocument, { video: video.id })
      else mutate(UnlikeDocument, { video: video.id })
    },
    [mutate],
  )
}

// useFollow returns a function that follows or unfollows a user.
export function useFollow() {
  const mutate = useViewerMutation()
  return useCallback(
    (user: { id: string }, follow: boolean) => {
      if (follow) mutate(FollowDocument, { user: user.id })
      else mutate(UnfollowDocument, { user: user.id })
    },
    [mutate],
  )
}

// useShare returns a function that shares the link to a video: with the system's share dialog on a touch device,
// otherwise through the clipboard.
export function useShare() {
  const toast = useToast()
  const { t } = useText()
  return useCallback(
    async (video: SlideFragment) => {
      const url = new URL(`/video/${video.databaseId}`, location.href).href
      const share = (navigator as { share?: (data: ShareData) => Promise<void> }).share
      if (share && window.matchMedia('(pointer: coarse)').matches) {
        await navigator.share({ title: video.title, url }).catch(() => undefined) // the user closed the dialog
        return
      }
      await copy(url)
      toast(t.linkCopied)
    },
    [toast, t],
  )
}

// copy writes to the clipboard. Over plain HTTP the Clipboard API is not available.
async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    document.body.append(field)
    field.select()
    document.execCommand('copy') // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way over HTTP
    field.remove()
  }
}
