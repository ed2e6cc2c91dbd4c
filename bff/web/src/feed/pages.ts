import type { CombinedError } from 'urql'
import type { FeedQuery } from '../gql/graphql'

// The pages of the feed that are loaded or loading, newest first.

export interface Page {
  after: string | null // the cursor before the page, null for the first
  data?: FeedQuery | undefined
  error?: CombinedError | undefined
}

export interface State {
  generation: number // the number of restarts; results of older generations are ignored
  pages: Page[]
}

type Action = { type: 'restart' } | { type: 'load'; after: string } | { type: 'result'; generation: number; page: Page }

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'restart':
      return { generation: state.generation + 1, pages: [{ after: null, data: state.pages[0]?.data }] }
    case 'load': {
      const { after } = action
      return state.pages.some((page) => page.after === after) ? state : { ...state, pages: [...state.pages, { after }] }
    }
    case 'result': {
      const result = action.page
      if (action.generation !== state.generation) return state
      const pages = state.pages.map((page) => (page.after === result.after ? { ...result, data: result.data ?? page.data } : page))
      return { ...state, pages: fillGap(pages) }
    }
  }
}

// fillGap inserts a page where two neighbors are not contiguous: the first of them was reloaded and now ends at a newer
// video.
function fillGap(pages: Page[]) {
  const gap = pages.findIndex(({ data }, i) => {
    const next = pages[i + 1]
    const end = data?.feed.pageInfo.endCursor
    if (!end || !next?.data || next.after === end) return false
    const ids = new Set(next.data.feed.nodes.map(({ id }) => id))
    return !data.feed.nodes.some(({ id }) => ids.has(id))
  })
  const after = pages[gap]?.data?.feed.pageInfo.endCursor
  return after ? pages.toSpliced(gap + 1, 0, { after }) : pages
}
