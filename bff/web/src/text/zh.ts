import type { Text } from './en'

export const zh: Text = {
  home: '推荐', messages: '消息', publish: '发布', me: '我', profile: '主页', mainMenu: '主菜单',
  toLight: '浅色主题', toDark: '深色主题', otherLanguage: 'English',

  signIn: '登录', signUp: '注册', signOut: '退出登录', signedOut: '已退出登录',
  signInTitle: '欢迎回来', signUpTitle: '创建账号', signInWhy: '登录后即可点赞、评论、关注、聊天和发布作品。',
  name: '用户名', password: '密码', noAccount: '还没有账号？', haveAccount: '已有账号？', needSession: '登录后即可查看',

  close: '关闭', cancel: '取消', save: '保存', saved: '已保存', retry: '重试', back: '返回', remove: '删除', loading: '加载中', justNow: '刚刚',

  previous: '上一个视频', next: '下一个视频', videoBy: (name) => `${name} 的视频`, openProfile: (name) => `${name} 的主页`, someone: '已注销用户',
  like: '点赞', share: '分享', linkCopied: '链接已复制', mute: '静音', unmute: '打开声音', tapToUnmute: '点击打开声音',
  newVideoBy: (name) => `${name} 发布了新视频`, thatIsAll: '没有更多视频了', backToTop: '回到顶部',
  noVideos: '还没有视频', noVideosWhy: '来发布第一个作品吧！',

  comments: '评论', commentCount: (n) => `${n} 条评论`, writeComment: '善语结善缘，恶言伤人心', send: '发送', sending: '发送中',
  noComments: '还没有评论', firstComment: '快来抢沙发吧。',

  follow: '关注', unfollow: '取消关注', following: '关注', followers: '粉丝', noPeople: '这里还没有人',
  works: '作品', likes: '喜欢', receivedLikes: '获赞', noWorks: '还没有作品', noLikes: '还没有喜欢的作品',
  editProfile: '编辑资料', signature: '简介', noSignature: '还没有填写简介', avatar: '头像', background: '背景', sendMessage: '私信',

  publishWhy: '和大家分享这一刻。', pick: '选择视频', drop: '或将视频拖到这里', formats: '支持 MP4 和 MOV，竖屏效果最佳',
  record: '拍摄视频', startRecording: '开始拍摄', stopRecording: '停止拍摄', noCamera: '无法使用摄像头。', notAVideo: '这不是视频文件。',
  title: '标题', titleHint: '你的视频讲了什么？', cover: '封面', coverHint: '选择一帧作为封面', frame: (n) => `第 ${n} 帧`, chooseOther: '重新选择',
  publishNow: '发布', uploading: (percent) => `正在上传 ${percent}%`, checking: '正在检查视频…', published: '发布成功', cancelled: '已取消',
  editVideo: '编辑作品', deleteVideo: '删除作品', deleteForGood: '永久删除', deleteWhy: '作品及其点赞和评论将被永久删除。', deleted: '已删除',

  noFriends: '还没有朋友', noFriendsWhy: '互相关注即成为朋友，可以在这里聊天。',
  pickFriend: '你的消息', pickFriendWhy: '选择一位朋友开始聊天。', sayHello: '打个招呼吧', write: '发送消息…', you: '我：',
  notSent: '发送失败', unread: (n) => `${n} 条未读`, showIt: '查看',

  cutOff: '网络已断开，正在重新连接…', notFound: '内容不存在', notFoundWhy: '页面或视频不存在。', goHome: '去看推荐',
  problems: {
    NETWORK: '无法连接服务器。', UPSTREAM_UNAVAILABLE: '部分服务暂时不可用，请重试。', RATE_LIMITED: '操作太频繁，请稍后再试。',
    UNAUTHENTICATED: '请重新登录。', PERMISSION_DENIED: '没有权限。', NOT_FOUND: '内容已不存在。', ALREADY_EXISTS: '用户名已被使用。',
    TOO_LARGE: '文件太大。', INTERNAL: '服务器出错了。', WRONG_PASSWORD: '用户名或密码错误。', OTHER: '出错了。',
  },
}
