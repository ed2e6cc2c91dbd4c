package demo

// Who there is, by their place in people.
const (
	xiaoman = iota
	leo
	amei
	nova
	dashan
	yuki

	guest = nova // the user of the printed login
)

// password is that of all users.
const password = "try-douyin"

var people = []struct {
	name, avatar, signature string
	follows                 []int
}{
	xiaoman: {"小满", "xiaoman", "傍晚出门，捡一点光回来。", []int{nova, amei, leo, yuki}},
	leo:     {"Leo", "leo", "Small programs, big pictures.", []int{nova, yuki, xiaoman}},
	amei:    {"阿梅", "amei", "万花筒收藏家 🌸", []int{xiaoman, nova, dashan}},
	nova:    {"nova", "nova", "Somewhere between two stars ✨", []int{xiaoman, leo, amei, yuki}},
	dashan:  {"大山", "dashan", "走路、看山、等极光。", []int{nova, amei}},
	yuki:    {"Yuki 雪", "yuki", "Slow things, soft colours.", []int{leo, xiaoman, nova}},
}

// line is a comment or a message.
type line struct {
	from int
	text string
}

// clips are in the order of publishing; the feed shows the last one first.
var clips = []struct {
	file, title string
	author      int
	likedBy     []int
	comments    []line
}{
	{"julia", "朱利亚集合 One number goes for a walk", leo, []int{nova, yuki, dashan}, []line{
		{dashan, "像雪花，又像海马"},
		{nova, "Is that really a single formula?"},
		{leo, "z² + c, over and over :)"},
	}},
	{"bokeh", "城市的夜，失焦的灯", xiaoman, []int{amei, nova, yuki}, []line{
		{yuki, "Feels like looking out of a late bus."},
		{amei, "好温柔的颜色"},
	}},
	{"life", "生命游戏 Conway's Game of Life", leo, []int{nova, xiaoman}, []line{
		{xiaoman, "盯着看了三遍还没看够"},
		{yuki, "四条规则，一个宇宙。"},
	}},
	{"silk", "Silk", yuki, []int{xiaoman, amei, leo, nova}, []line{
		{amei, "可以当壁纸吗？"},
		{yuki, "当然可以 💛"},
	}},
	{"ripples", "三滴雨 Three drops of rain", amei, []int{xiaoman, dashan}, []line{
		{dashan, "下雨天就该这样发呆"},
	}},
	{"pendulum", "Nine pendulums, one rhythm", nova, []int{leo, yuki, xiaoman, amei}, []line{
		{leo, "What happens if you wait a minute?"},
		{nova, "They all come back together. Promise."},
		{xiaoman, "强迫症很满足"},
	}},
	{"kaleidoscope", "万花筒 Kaleidoscope", amei, []int{xiaoman, nova, yuki}, []line{
		{yuki, "Flowers made of light."},
		{xiaoman, "小时候的宝贝"},
	}},
	{"aurora", "终于等到了极光！", dashan, []int{amei, nova, xiaoman, leo, yuki}, []line{
		{amei, "哪里拍的？下次带上我"},
		{dashan, "雪山背后，零下二十度，值得。"},
		{leo, "Unreal."},
	}},
	{"warp", "下一站，群星 Next stop: stars", nova, []int{leo, dashan, xiaoman}, []line{
		{leo, "Engage!"},
		{dashan, "记得系好安全带"},
	}},
	{"sunset", "今天的晚霞，送给路过的你", xiaoman, []int{nova, amei, dashan, yuki, leo}, []line{
		{amei, "海面在发光"},
		{nova, "I can almost hear the waves."},
		{yuki, "きれい！好美"},
		{xiaoman, "谢谢你们，明天也会有的 🌇"},
	}},
}

var chats = []struct {
	a, b  int
	lines []line
}{
	{nova, xiaoman, []line{
		{xiaoman, "今晚还去看海吗？"},
		{nova, "去！六点半，老地方。"},
		{xiaoman, "我带相机"},
		{nova, "我带汽水 🥤"},
	}},
	{nova, leo, []line{
		{nova, "How did you colour the Julia set?"},
		{leo, "Count the steps until a point escapes, then look the number up in a palette."},
		{nova, "So simple. Sending you my next one tonight."},
	}},
	{nova, dashan, []line{
		{dashan, "星星那条视频太好看了"},
	}},
	{xiaoman, amei, []line{
		{amei, "周末一起拍花？"},
		{xiaoman, "好呀，植物园见 🌷"},
	}},
}
