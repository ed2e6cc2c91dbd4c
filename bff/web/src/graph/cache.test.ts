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
import { reduce, type State } from '../feed/pages'
import { cacheOptions } from './cache'

// The fake server keeps each operation in requests until the test responds to it.
let client: Client
let requests: { operation: Operation; respond: (data: object | Error) => void }[]

const server: Exchange = () => (operations$) =>
  pipe(
    operations$,
    filter((operation) => operation.kind !== 'teardown'),
    mergeMap((operation) => {
      const results = makeSubject<ReturnType<typeof makeErrorResult>>()
      requests.push({
        operation,
        respond(data) {
          const failed = makeErrorResult(operation, data as Error)
          results.next(data instanceof Error ? failed : { ...failed, data, error: undefined })
        },
      })
      const teardown = pipe(operations$, filter((other) => other.kind === 'teardown' && other.key === operation.key))
      return pipe(merge([results.source]), takeUntil(teardown))
    }),
  )

function nameOf({ query }: Operation) {
  const [definition] = query.definitions
  return definition && 'operation' in definition ? definition.name?.value : undefined
}

// respond sends data or an error as the response to the oldest request with this name.
async function respond(name: string, data: object | Error) {
  await settle()
  const index = requests.findIndex(({ operation }) => nameOf(operation) === name)
  if (index < 0) throw new Error(`no request named ${name}, only ${requests.map(({ operation }) => nameOf(operation)).join(', ')}`)
  const [request] = requests.splice(index, 1)
  request?.respond(data)
  await settle()
}

// watch subscribes to a query and returns its latest result.
function watch<Data, Variables extends AnyVariables>(query: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const latest: { data?: Data | undefined; error?: CombinedError | undefined } = {}
  pipe(
    client.query(query, variables),
    subscribe(({ data, error }) => Object.assign(latest, { data, error })),
  )
  return latest
}

// settle waits until pending results are delivered.
const settle = () => new Promise((resolve) => setTimeout(resolve))

// mutate starts a mutation, and returns before the server responds.
async function mutate<Data, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, variables: Variables) {
  void client.mutation(mutation, variables).toPromise()
  await settle()
}

const page = { __typename: 'PageInfo', hasNextPage: false, endCursor: null, hasPreviousPage: false, startCursor: null }
const ann = { __typename: 'User', id: 'ann', databaseId: 1, name: 'ann', avatarUrl: 'a.jpg', viewerIsFollowing: false }
const bob = { ...ann, id: 'bob', databaseId: 2, name: 'bob' }
const video = (id: string) => ({
  __typename: 'Video', id, databaseId: 7, title: id, playUrl: '', coverUrl: '', createdAt: 1, likeCount: 3, commentCount: 1, viewerHasLiked: false, author: bob,
})
const comment = (id: string, content = id) => ({ __typename: 'Comment', id, content, createdAt: 1, author: bob })
const message = (id: string, direction = 'RECEIVED') => ({ __typename: 'Message', id, content: id, createdAt: 1, direction, fromUserDatabaseId: 2, toUserDatabaseId: 2 })
const connection = (kind: string, nodes: object[], more: object = {}) => ({ __typename: kind, nodes, pageInfo: { ...page, ...more } })

beforeEach(async () => {
  requests = []
  client = new Client({ url: '/graphql', exchanges: [cacheExchange(cacheOptions), server] })
  watch(WhoAmIDocument, {})
  await respond('WhoAmI', { viewer: ann })
})

async function showFeed(...ids: string[]) {
  const feed = watch(FeedDocument, { first: 8, after: null, signedIn: true })
  await respond('Feed', { feed: connection('FeedConnection', ids.map(video)) })
  return () => unmask(SlideFragmentDoc, feed.data?.feed.nodes ?? [])
}

describe('likes', () => {
  test('update the video at once, then take the values of the response', async () => {
    const feed = await showFeed('v')
    await mutate(LikeDocument, { video: 'v' })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: true, likeCount: 4 })
    await respond('Like', { likeVideo: { __typename: 'LikeVideoPayload', video: { __typename: 'Video', id: 'v', likeCount: 9, viewerHasLiked: true } } })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: true, likeCount: 9 })
  })
  test('are rolled back on an error', async () => {
    const feed = await showFeed('v')
    await mutate(LikeDocument, { video: 'v' })
    await respond('Like', new Error('no'))
    expect(feed()[0]).toMatchObject({ viewerHasLiked: false, likeCount: 3 })
  })
  test('do not change the count if the like was already removed', async () => {
    const feed = await showFeed('v')
    await mutate(UnlikeDocument, { video: 'v' })
    expect(feed()[0]).toMatchObject({ viewerHasLiked: false, likeCount: 3 })
  })
})

test('a follow updates every object of the user at once', async () => {
  const feed = await showFeed('v', 'w')
  const profile = watch(ProfileOfDocument, { user: '2' })
  const rest = { signature: '', backgroundUrl: '', videoCount: 2, likesReceivedCount: 0, likesGivenCount: 0, followingCount: 0, followerCount: 5 }
  await respond('ProfileOf', { user: { ...bob, ...rest } })
  await mutate(FollowDocument, { user: 'bob' })
  expect(feed().map(({ author }) => author?.viewerIsFollowing)).toEqual([true, true])
  expect(unmask(ProfileFragmentDoc, profile.data?.user)).toMatchObject({ viewerIsFollowing: true, followerCount: 6 })
  await respond('Follow', new Error('no'))
  expect(feed()[0]?.author?.viewerIsFollowing).toBe(false)
})

describe('comments', () => {
  async function showComments(...ids: string[]) {
    const result = watch(CommentsDocument, { video: 'v', first: 20, after: null })
    await respond('Comments', { video: { ...video('v'), comments: connection('CommentConnection', ids.map((id) => comment(id))) } })
    return {
      texts: () => unmask(CommentLineFragmentDoc, result.data?.video?.comments?.nodes ?? []).map(({ content }) => content),
      count: () => result.data?.video?.commentCount,
    }
  }
  test('are added at the top at once, and are not duplicated by the response', async () => {
    const comments = await showComments('old')
    await mutate(WriteCommentDocument, { video: 'v', content: 'new' })
    expect(comments.texts()).toEqual(['new', 'old'])
    expect(comments.count()).toBe(2)
    await respond('WriteComment', {
      createComment: { __typename: 'CreateCommentPayload', comment: comment('c', 'new'), video: { __typename: 'Video', id: 'v', commentCount: 8 } },
    })
    expect(comments.texts()).toEqual(['new', 'old'])
    expect(comments.count()).toBe(8)
  })
  test('are removed on an error', async () => {
    const comments = await showComments('old')
    await mutate(WriteCommentDocument, { video: 'v', content: 'new' })
    await respond('WriteComment', new Error('no'))
    expect(comments.texts()).toEqual(['old'])
    expect(comments.count()).toBe(1)
  })
  test('that the viewer deletes are removed at once', async () => {
    const comments = await showComments('one', 'two')
    await mutate(RemoveCommentDocument, { video: 'v', comment: 'one' })
    expect(comments.texts()).toEqual(['two'])
    expect(comments.count()).toBe(0)
  })
})

test('a new video is added at the top of the feed and of the profile', async () => {
  const feed = await showFeed('old')
  const works = watch(WorksDocument, { user: 'ann', first: 24, after: null })
  await respond('Works', { user: { ...ann, videos: connection('VideoConnection', [video('old')]) } })
  await mutate(PublishDocument, { input: { title: 'new', file: new File([], 'v.mp4') }, signedIn: true })
  expect(feed().map(({ id }) => id)).toEqual(['old'])
  await respond('Publish', { publishVideo: { __typename: 'PublishVideoPayload', video: video('new') } })
  expect(feed().map(({ id }) => id)).toEqual(['new', 'old'])
  expect(works.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['new', 'old'])
})

test('a new title updates every object of the video', async () => {
  const feed = await showFeed('v', 'w')
  await mutate(RetitleDocument, { video: 'v', title: 'better' })
  await respond('Retitle', { updateVideo: { __typename: 'UpdateVideoPayload', video: { __typename: 'Video', id: 'v', title: 'better' } } })
  expect(feed().map(({ title }) => title)).toEqual(['better', 'w'])
})

test('a deleted video is removed from all lists and from its own query after the response', async () => {
  const feed = await showFeed('v', 'w')
  const works = watch(WorksDocument, { user: 'ann', first: 24, after: null })
  await respond('Works', { user: { ...ann, videos: connection('VideoConnection', [video('v'), video('w')]) } })
  const watched = watch(WatchDocument, { id: '7', signedIn: true })
  await respond('Watch', { video: video('v') })
  await mutate(RemoveVideoDocument, { video: 'v' })
  expect(feed()).toHaveLength(2)
  await respond('RemoveVideo', { deleteVideo: { __typename: 'DeleteVideoPayload', deletedVideoId: 'v' } })
  expect(feed().map(({ id }) => id)).toEqual(['w'])
  expect(works.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['w'])
  expect(watched.data).toEqual({ video: null })
  expect(requests).toEqual([])
})

test('the feed loads the pages missing after a reloaded first page', () => {
  const data = (ids: string) => ({ feed: connection('FeedConnection', ids.split('').map(video), { hasNextPage: true, endCursor: ids.at(-1) }) }) as unknown as FeedQuery
  const idsOf = ({ pages }: State) => [...new Set(pages.flatMap((page) => page.data?.feed.nodes.map(({ id }) => id) ?? ['?']))].join('')
  const receive = (state: State, after: string | null, ids: string) => reduce(state, { type: 'result', generation: 0, page: { after, data: data(ids) } })
  let state: State = { generation: 0, pages: [{ after: null, data: data('hgf') }, { after: 'f', data: data('edc') }] }
  expect(receive(state, null, 'hgf')).toEqual(state)
  state = receive(state, null, 'kji')
  expect(idsOf(state)).toBe('kji?edc')
  state = receive(state, 'i', 'hgf')
  expect(idsOf(state)).toBe('kjihgfedc')
  state = receive(receive(state, null, 'mlk'), 'k', 'jih')
  expect(idsOf(state)).toBe('mlkjihgfedc')
})

describe('messages', () => {
  async function showChat() {
    const chat = watch(ConversationDocument, { with: '2', last: 30, before: null })
    await respond('Conversation', { conversation: connection('MessageConnection', [message('one')]) })
    const friends = watch(FriendsDocument, { first: 50, after: null })
    await respond('Friends', {
      viewer: { ...ann, friends: connection('FriendConnection', [{ __typename: 'Friend', user: bob, latestMessage: message('one') }]) },
    })
    return {
      lines: () => chat.data?.conversation.nodes.map(({ id }) => id),
      latest: () => unmask(LineFragmentDoc, friends.data?.viewer?.friends?.nodes[0]?.latestMessage)?.content,
    }
  }
  test('that are received are appended and become the latest message of the friend', async () => {
    const chat = await showChat()
    pipe(client.subscription(MessageReceivedDocument, {}), subscribe(() => undefined))
    await settle()
    const request = requests.find(({ operation }) => nameOf(operation) === 'MessageReceived')
    request?.respond({ messageReceived: { __typename: 'MessageReceivedPayload', cursor: 'c', message: message('two'), from: bob } })
    request?.respond({ messageReceived: { __typename: 'MessageReceivedPayload', cursor: 'c', message: message('two'), from: bob } })
    await settle()
    expect(chat.lines()).toEqual(['one', 'two'])
    expect(chat.latest()).toBe('two')
  })
  test('that are sent are appended and become the latest message of the friend', async () => {
    const chat = await showChat()
    await mutate(SendMessageDocument, { to: 'bob', content: 'two' })
    await respond('SendMessage', { sendMessage: { __typename: 'SendMessagePayload', message: message('two', 'SENT') } })
    expect(chat.lines()).toEqual(['one', 'two'])
    expect(chat.latest()).toBe('two')
  })
  test('to another user do not change this conversation', async () => {
    const chat = await showChat()
    await mutate(SendMessageDocument, { to: 'cat', content: 'two' })
    await respond('SendMessage', { sendMessage: { __typename: 'SendMessagePayload', message: { ...message('two', 'SENT'), toUserDatabaseId: 3 } } })
    expect(chat.lines()).toEqual(['one'])
    expect(chat.latest()).toBe('one')
  })
})

describe('paginated lists', () => {
  const works = (after: string | null) => ({ user: 'bob', first: 2, after })
  const worksPage = (ids: string[], endCursor: string | null) => ({ user: { ...bob, videos: connection('VideoConnection', ids.map(video), { hasNextPage: endCursor !== null, endCursor }) } })

  test('join their pages', async () => {
    watch(WorksDocument, works(null))
    await respond('Works', worksPage(['e', 'd'], 'd'))
    const second = watch(WorksDocument, works('d'))
    await respond('Works', worksPage(['c', 'b'], 'b'))
    expect(second.data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['e', 'd', 'c', 'b'])
    expect(second.data?.user?.videos?.pageInfo).toMatchObject({ hasNextPage: true, endCursor: 'b' })
  })
  test('drop later pages when the first page is reloaded, so that there is no gap', async () => {
    const first = client.query(WorksDocument, works(null)).toPromise()
    await respond('Works', worksPage(['e', 'd'], 'd'))
    await first
    const second = client.query(WorksDocument, works('d')).toPromise()
    await respond('Works', worksPage(['c', 'b'], 'b'))
    await second
    const again = client.query(WorksDocument, works(null), { requestPolicy: 'network-only' }).toPromise()
    await respond('Works', worksPage(['h', 'g'], 'g'))
    expect((await again).data?.user?.videos?.nodes.map(({ id }) => id)).toEqual(['h', 'g'])
  })
})
