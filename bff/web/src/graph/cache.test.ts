import { type AnyVariables, Client, type CombinedError, type Exchange, makeErrorResult, type Operation, type TypedDocumentNode } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { filter, makeSubject, merge, mergeMap, pipe, subscribe, takeUntil } from 'wonka'
import { beforeEach, describe, expect, test } from 'vitest'
import { unmask } from '../gql'
import {
  CommentLineFragmentDoc, CommentsDocument, ConversationDocument, FeedDocument, type FeedQuery, FollowDocument, FriendsDocument, LikeDocument,
  LineFragmentDoc, MessageReceivedDocument, ProfileFragmentDoc, ProfileOfDocument, PublishDocument, RemoveCommentDocument,
  RemoveVideoDocument, RetitleDocument, SendMessageDocument, SlideFragmentDoc, UnlikeDocument, WatchDocument, WhoAmIDocument, WorksDocument, WriteCommentDocument,
} from '../gql/graphql'
import { change as changeFeed, type State } from '../feed/pages'
import { cacheOptions } from './cache'

// A server that answers when it is told to.
let client: Client
let waiting: { operation: Operation; answer: (data: object | Error) => void }[]

const server: Exchange = () => (operations$) =>
  pipe(
    operations$,
    filter((operation) => operation.kind !== 'teardown'),
    mergeMap((operation) => {
      const answers = makeSubject<ReturnType<typeof makeErrorResult>>()
      waiting.push({
        operation,
        answer(data) {
          const failed = makeErrorResult(operation, data as Error)
          answers.next(data instanceof Error ? failed : { ...failed, data, error: undefined })
        },
      })
      const ended = pipe(operations$, filter((other) => other.kind === 'teardown' && other.key === operation.key))
      return pipe(merge([answers.source]), takeUntil(ended))
    }),
  )

function nameOf({ query }: Operation) {
  const [definition] = query.definitions
  return definition && 'operation' in definition ? definition.name?.value : undefined
}

// answer gives the oldest open operation of this name its data.
async function answer(name: string, data: object | Error) {
  await settled()
  const index = waiting.findIndex(({ operation }) => nameOf(operation) === name)
  if (index < 0) throw new Error(`nobody asks ${name}, but ${waiting.map(({ operation }) => nameOf(operation)).join(', ')}`)
  const [asked] = waiting.splice(index, 1)
  asked?.answer(data)
  await settled()
}

// watch keeps a query open and returns what it shows.
function watch<Data, Variables extends AnyVariables>(query: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const shown: { data?: Data | undefined; error?: CombinedError | undefined } = {}
  pipe(
    client.query(query, variables),
    subscribe(({ data, error }) => Object.assign(shown, { data, error })),
  )
  return shown
}

// settled waits until what was begun is shown.
const settled = () => new Promise((resolve) => setTimeout(resolve))

async function change<Data, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, variables: Variables) {
  void client.mutation(mutation, variables).toPromise()
  await settled()
}

const page = { __typename: 'PageInfo', hasNextPage: false, endCursor: null, hasPreviousPage: false, startCursor: null }
const ann = { __typename: 'User', id: 'ann', databaseId: 1, name: 'ann', avatarUrl: 'a.jpg', viewerIsFollowing: false }
const bob = { ...ann, id: 'bob', databaseId: 2, name: 'bob' }
const video = (id: string) => ({
  __typename: 'Video', id, databaseId: 7, title: id, playUrl: '', coverUrl: '', createdAt: 1, likeCount: 3, commentCount: 1, viewerHasLiked: false, author: bob,
})
const comment = (id: string, content = id) => ({ __typename: 'Comment', id, content, createdAt: 1, author: bob })
const message = (id: string, direction = 'RECEIVED') => ({ __typename: 'Message', id, content: id, createdAt: 1, direction, fromUserDatabaseId: 2, toUserDatabaseId: 2 })
const list = (kind: string, nodes: object[], more: object = {}) => ({ __typename: kind, nodes, pageInfo: { ...page, ...more } })

beforeEach(async () => {
  waiting = []
  client = new Client({ url: '/graphql', exchanges: [cacheExchange(cacheOptions), server] })
  watch(WhoAmIDocument, {})
  await answer('WhoAmI', { viewer: ann })
})

async function showFeed(...ids: string[]) {
  const feed = watch(FeedDocument, { first: 8, after: null, signedIn: true })
  await answer('Feed', { feed: list('FeedConnection', ids.map(video)) })
  return () => unmask(SlideFragmentDoc, feed.data?.feed.nodes ?? [])
}

describe('likes', () => {
  test('show at once, and then what the server says', async () => {
    const feed = await showFeed('v')
    await change(LikeDocument, { video: 'v' })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: true, likeCount: 4 })
    await answer('Like', { likeVideo: { __typename: 'LikeVideoPayload', video: { __typename: 'Video', id: 'v', likeCount: 9, viewerHasLiked: true } } })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: true, likeCount: 9 })
  })
  test('are taken back when the server refuses', async () => {
    const feed = await showFeed('v')
    await change(LikeDocument, { video: 'v' })
    await answer('Like', new Error('no'))
    expect(feed()[0]).toMatchObject({ viewerHasLiked: false, likeCount: 3 })
  })
  test('that are none do not count', async () => {
    const feed = await showFeed('v')
    await change(UnlikeDocument, { video: 'v' })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: false, likeCount: 3 })
  })
})

test('a follow shows at once wherever the user is seen', async () => {
  const feed = await showFeed('v', 'w')
  const profile = watch(ProfileOfDocument, { user: '2' })
  const rest = { signature: '', backgroundUrl: '', videoCount: 2, likesReceivedCount: 0, likesGivenCount: 0, followingCount: 0, followerCount: 5 }
  await answer('ProfileOf', { user: { ...bob, ...rest } })
  await change(FollowDocument, { user: 'bob' })
  expect(feed().map(({ author }) => author?.viewerIsFollowing)).toEqual([true, true])
  expect(unmask(ProfileFragmentDoc, profile.data?.user)).toMatchObject({ viewerIsFollowing: true, followerCount: 6 })
  await answer('Follow', new Error('no'))
  expect(feed()[0]?.author?.viewerIsFollowing).toBe(false)
})

describe('comments', () => {
  async function showComments(...ids: string[]) {
    const shown = watch(CommentsDocument, { video: 'v', first: 20, after: null })
    await answer('Comments', { video: { ...video('v'), comments: list('CommentConnection', ids.map((id) => comment(id))) } })
    return {
      texts: () => unmask(CommentLineFragmentDoc, shown.data?.video?.comments?.nodes ?? []).map(({ content }) => content),
      count: () => shown.data?.video?.commentCount,
    }
  }
  test('stand first at once, by the viewer, and once only when the server has them', async () => {
    const comments = await showComments('old')
    await change(WriteCommentDocument, { video: 'v', content: 'new' })
    expect(comments.texts()).toEqual(['new', 'old'])
    expect(comments.count()).toBe(2)
    await answer('WriteComment', {
      createComment: { __typename: 'CreateCommentPayload', comment: comment('c', 'new'), video: { __typename: 'Video', id: 'v', commentCount: 8 } },
    })
    expect(comments.texts()).toEqual(['new', 'old'])
    expect(comments.count()).toBe(8)
  })
  test('are gone when the server refuses', async () => {
    const comments = await showComments('old')
    await change(WriteCommentDocument, { video: 'v', content: 'new' })
    await answer('WriteComment', new Error('no'))
    expect(comments.texts()).toEqual(['old'])
    expect(comments.count()).toBe(1)
  })
  test('that are deleted are gone at once', async () => {
    const comments = await showComments('one', 'two')
    await change(RemoveCommentDocument, { video: 'v', comment: 'one' })
    expect(comments.texts()).toEqual(['two'])
    expect(comments.count()).toBe(0)
  })
})

test('a new video is the first of the feed and of the works', async () => {
  const feed = await showFeed('old')
  const works = watch(WorksDocument, { user: 'ann', first: 24, after: null })
  await answer('Works', { user: { ...ann, videos: list('VideoConnection', [video('old')]) } })
  await change(PublishDocument, { input: { title: 'new', file: new File([], 'v.mp4') }, signedIn: true })
  expect(feed().map(({ id }) => id)).toEqual(['old'])
  await answer('Publish', { publishVideo: { __typename: 'PublishVideoPayload', video: video('new') } })
  expect(feed().map(({ id }) => id)).toEqual(['new', 'old'])
  expect(works.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['new', 'old'])
})

test('a new title shows wherever the video is seen', async () => {
  const feed = await showFeed('v', 'w')
  await change(RetitleDocument, { video: 'v', title: 'better' })
  await answer('Retitle', { updateVideo: { __typename: 'UpdateVideoPayload', video: { __typename: 'Video', id: 'v', title: 'better' } } })
  expect(feed().map(({ title }) => title)).toEqual(['better', 'w'])
})

test('a deleted video is gone from all lists, and from its address, once the server has said so', async () => {
  const feed = await showFeed('v', 'w')
  const works = watch(WorksDocument, { user: 'ann', first: 24, after: null })
  await answer('Works', { user: { ...ann, videos: list('VideoConnection', [video('v'), video('w')]) } })
  const watched = watch(WatchDocument, { id: '7', signedIn: true })
  await answer('Watch', { video: video('v') })
  await change(RemoveVideoDocument, { video: 'v' })
  expect(feed()).toHaveLength(2)
  await answer('RemoveVideo', { deleteVideo: { __typename: 'DeleteVideoPayload', deletedVideoId: 'v' } })
  expect(feed().map(({ id }) => id)).toEqual(['w'])
  expect(works.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['w'])
  expect(watched.data).toEqual({ video: null })
  expect(waiting).toEqual([])
})

test('a first page of the feed that comes anew is linked with what follows', () => {
  const data = (ids: string) => ({ feed: list('FeedConnection', ids.split('').map(video), { hasNextPage: true, endCursor: ids.at(-1) }) }) as unknown as FeedQuery
  const shown = ({ pages }: State) => [...new Set(pages.flatMap((page) => page.data?.feed.nodes.map(({ id }) => id) ?? ['?']))].join('')
  const bring = (state: State, after: string | null, ids: string) => changeFeed(state, { round: 0, page: { after, data: data(ids) } })
  let state: State = { round: 0, pages: [{ after: null, data: data('hgf') }, { after: 'f', data: data('edc') }] }
  expect(bring(state, null, 'hgf')).toEqual(state)
  state = bring(state, null, 'kji')
  expect(shown(state)).toBe('kji?edc')
  state = bring(state, 'i', 'hgf')
  expect(shown(state)).toBe('kjihgfedc')
  state = bring(bring(state, null, 'mlk'), 'k', 'jih')
  expect(shown(state)).toBe('mlkjihgfedc')
})

describe('messages', () => {
  async function showChat() {
    const chat = watch(ConversationDocument, { with: '2', last: 30, before: null })
    await answer('Conversation', { conversation: list('MessageConnection', [message('one')]) })
    const friends = watch(FriendsDocument, { first: 50, after: null })
    await answer('Friends', {
      viewer: { ...ann, friends: list('FriendConnection', [{ __typename: 'Friend', user: bob, latestMessage: message('one') }]) },
    })
    return {
      lines: () => chat.data?.conversation.nodes.map(({ id }) => id),
      latest: () => unmask(LineFragmentDoc, friends.data?.viewer?.friends?.nodes[0]?.latestMessage)?.content,
    }
  }
  test('that come in stand last, and are the latest of the friend', async () => {
    const chat = await showChat()
    pipe(client.subscription(MessageReceivedDocument, {}), subscribe(() => undefined))
    await settled()
    const told = waiting.find(({ operation }) => nameOf(operation) === 'MessageReceived')
    told?.answer({ messageReceived: { __typename: 'MessageReceivedPayload', cursor: 'c', message: message('two'), from: bob } })
    told?.answer({ messageReceived: { __typename: 'MessageReceivedPayload', cursor: 'c', message: message('two'), from: bob } })
    await settled()
    expect(chat.lines()).toEqual(['one', 'two'])
    expect(chat.latest()).toBe('two')
  })
  test('that were sent do, too', async () => {
    const chat = await showChat()
    await change(SendMessageDocument, { to: 'bob', content: 'two' })
    await answer('SendMessage', { sendMessage: { __typename: 'SendMessagePayload', message: message('two', 'SENT') } })
    expect(chat.lines()).toEqual(['one', 'two'])
    expect(chat.latest()).toBe('two')
  })
  test('of other conversations stay there', async () => {
    const chat = await showChat()
    await change(SendMessageDocument, { to: 'cat', content: 'two' })
    await answer('SendMessage', { sendMessage: { __typename: 'SendMessagePayload', message: { ...message('two', 'SENT'), toUserDatabaseId: 3 } } })
    expect(chat.lines()).toEqual(['one'])
    expect(chat.latest()).toBe('one')
  })
})

describe('lists in pages', () => {
  const works = (after: string | null) => ({ user: 'bob', first: 2, after })
  const some = (ids: string[], endCursor: string | null) => ({ user: { ...bob, videos: list('VideoConnection', ids.map(video), { hasNextPage: endCursor !== null, endCursor }) } })

  test('are joined', async () => {
    watch(WorksDocument, works(null))
    await answer('Works', some(['e', 'd'], 'd'))
    const second = watch(WorksDocument, works('d'))
    await answer('Works', some(['c', 'b'], 'b'))
    expect(second.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['e', 'd', 'c', 'b'])
    expect(second.data?.user?.videos?.pageInfo).toMatchObject({ hasNextPage: true, endCursor: 'b' })
  })
  test('start over when the first page comes anew, so that nothing is missing in between', async () => {
    const first = client.query(WorksDocument, works(null)).toPromise()
    await answer('Works', some(['e', 'd'], 'd'))
    await first
    const second = client.query(WorksDocument, works('d')).toPromise()
    await answer('Works', some(['c', 'b'], 'b'))
    await second
    const again = client.query(WorksDocument, works(null), { requestPolicy: 'network-only' }).toPromise()
    await answer('Works', some(['h', 'g'], 'g'))
    expect((await again).data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['h', 'g'])
  })
})
