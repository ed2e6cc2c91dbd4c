export const en = {
  home: 'For you', messages: 'Messages', publish: 'Publish', me: 'Me', profile: 'Profile', mainMenu: 'Main menu',
  toLight: 'Light theme', toDark: 'Dark theme', otherLanguage: '中文',

  signIn: 'Sign in', signUp: 'Sign up', signOut: 'Sign out', signedOut: 'You are signed out',
  signInTitle: 'Welcome back', signUpTitle: 'Create your account', signInWhy: 'Sign in to like, comment, follow, chat and publish.',
  name: 'Name', password: 'Password', noAccount: 'New here?', haveAccount: 'Already have an account?', needSession: 'Sign in to see this',

  close: 'Close', cancel: 'Cancel', save: 'Save', saved: 'Saved', retry: 'Try again', back: 'Back', remove: 'Delete', loading: 'Loading', justNow: 'just now',

  previous: 'Previous video', next: 'Next video', videoBy: (name: string) => `Video by ${name}`, openProfile: (name: string) => `Profile of ${name}`, someone: 'Deleted user',
  like: 'Like', share: 'Share', linkCopied: 'Link copied', mute: 'Mute', unmute: 'Unmute', tapToUnmute: 'Tap to unmute',
  newVideoBy: (name: string) => `New video by ${name}`, thatIsAll: 'No more videos', backToTop: 'Back to top',
  noVideos: 'No videos yet', noVideosWhy: 'Publish the first one!',

  comments: 'Comments', commentCount: (n: string) => (n === '1' ? '1 comment' : `${n} comments`), writeComment: 'Say something nice…', send: 'Send', sending: 'Sending',
  noComments: 'No comments yet', firstComment: 'Be the first to comment.',

  follow: 'Follow', unfollow: 'Unfollow', following: 'Following', followers: 'Followers', noPeople: 'Nobody here yet',
  works: 'Videos', likes: 'Liked', receivedLikes: 'Likes', noWorks: 'No videos yet', noLikes: 'No liked videos yet',
  editProfile: 'Edit profile', signature: 'Bio', noSignature: 'No bio yet', avatar: 'Avatar', background: 'Background', sendMessage: 'Message',

  publishWhy: 'Share a moment with everyone.', pick: 'Choose a video', drop: 'or drop it here', formats: 'MP4 or MOV, ideally vertical',
  record: 'Record a video', startRecording: 'Start recording', stopRecording: 'Stop recording', noCamera: 'The camera is unavailable.', notAVideo: 'This is not a video file.',
  title: 'Title', titleHint: 'What is your video about?', cover: 'Cover', coverHint: 'Choose the picture people see first', frame: (n: number) => `Frame ${n}`, chooseOther: 'Choose another video',
  publishNow: 'Publish', uploading: (percent: number) => `Uploading ${percent}%`, checking: 'Checking the video…', published: 'Published', cancelled: 'Cancelled',
  editVideo: 'Edit video', deleteVideo: 'Delete video', deleteForGood: 'Delete permanently', deleteWhy: 'The video, its likes and its comments will be permanently deleted.', deleted: 'Deleted',

  noFriends: 'No friends yet', noFriendsWhy: 'People who follow each other are friends. Chat with your friends here.',
  pickFriend: 'Your messages', pickFriendWhy: 'Choose a friend to chat with.', sayHello: 'Say hello', write: 'Write a message…', you: 'You: ',
  notSent: 'Not sent', unread: (n: number) => `${n} unread`, showIt: 'View',

  cutOff: 'No connection. Reconnecting…', notFound: 'Not found', notFoundWhy: 'This page or video does not exist.', goHome: 'Go to the feed',
  problems: {
    NETWORK: 'The server cannot be reached.', UPSTREAM_UNAVAILABLE: 'Part of the service is unavailable. Please try again.', RATE_LIMITED: 'Too many requests. Please wait a minute.',
    UNAUTHENTICATED: 'Please sign in again.', PERMISSION_DENIED: 'This is not allowed.', NOT_FOUND: 'This no longer exists.', ALREADY_EXISTS: 'This name is taken.',
    TOO_LARGE: 'The file is too large.', INTERNAL: 'Something went wrong on the server.', WRONG_PASSWORD: 'Wrong name or password.', OTHER: 'Something went wrong.',
  } as Record<string, string>,
}

export type Text = typeof en
