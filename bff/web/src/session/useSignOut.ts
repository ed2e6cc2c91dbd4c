import { useLocation } from 'wouter'
import { useText } from '../text/text'
import { useToast } from '../ui/toast'
import { useSession } from './session'

// useSignOut returns a function that signs out and opens the feed.
export function useSignOut() {
  const { end } = useSession()
  const { t } = useText()
  const toast = useToast()
  const [, navigate] = useLocation()
  return () => {
    const done = () => {
      toast(t.signedOut)
      navigate('/')
    }
    void end().then(done, () => toast(t.problems.NETWORK ?? ''))
  }
}
