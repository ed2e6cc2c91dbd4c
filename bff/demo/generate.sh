#!/bin/sh
# Makes the files of the demo world: files/*.mp4, their covers files/*.jpg and files/avatars/*.jpg.
# Everything is computed by ffmpeg filters; nothing is anybody's work but ours.
#
#   bff/demo/generate.sh            all of them
#   bff/demo/generate.sh sunset     one clip and its cover
set -eu
cd "$(dirname "$0")"
mkdir -p files/avatars
only=${1:-}

# clip NAME SECONDS COVER_SECOND CRF TONE FILTERGRAPH
# TONE is the lowest note of a quiet chord, in hertz.
clip() {
	if [ -n "$only" ] && [ "$only" != "$1" ]; then return; fi
	f=$5
	chord="0.05*sin(2*PI*$f*t)+0.035*sin(2*PI*$f*1.25*t)+0.035*sin(2*PI*$f*1.5*t)+0.02*sin(2*PI*$f*2*t)*(1+sin(2*PI*0.8*t))/2"
	ffmpeg -nostdin -v error -y \
		-f lavfi -i "$6" \
		-f lavfi -i "aevalsrc='$chord':s=44100:d=$2,afade=in:d=0.5,afade=out:st=$(($2 - 1)):d=1" \
		-t "$2" -r 25 -map 0:v -map 1:a \
		-c:v libx264 -profile:v main -level 3.1 -pix_fmt yuv420p -preset veryslow -crf "$4" -g 125 \
		-c:a aac -b:a 24k -ac 1 \
		-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -movflags +faststart \
		"files/$1.mp4"
	ffmpeg -nostdin -v error -y -ss "$3" -i "files/$1.mp4" -frames:v 1 -q:v 5 \
		-map_metadata -1 -fflags +bitexact -flags:v +bitexact "files/$1.jpg"
	ls -l "files/$1.mp4" "files/$1.jpg" | awk '{print $5, $NF}'
}

# avatar NAME GROUND FACE SMILE HAIR CUT: a face on a coloured ground; CUT is where there is hair.
avatar() {
	if [ -n "$only" ] && [ "$only" != avatars ]; then return; fi
	ffmpeg -nostdin -v error -y -f lavfi -i "color=$2:s=512x512,format=gbrp" \
		-f lavfi -i "color=$3:s=512x512,format=gbrap,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot(X-256,Y-286),172)'" \
		-f lavfi -i "color=$5:s=512x512,format=gbrap,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot(X-256,Y-262),190)*($6)'" \
		-f lavfi -i "color=0x2b2b33:s=512x512,format=gbrap,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*(lt(hypot(X-196,(Y-286)*0.8),19)+lt(hypot(X-316,(Y-286)*0.8),19)+lt(abs(Y-(366+$4*(1-pow((X-256)/62,2)))),7)*lt(abs(X-256),60))'" \
		-f lavfi -i "color=0xff7f87:s=512x512,format=gbrap,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='110*(lt(hypot(X-152,Y-342),26)+lt(hypot(X-360,Y-342),26))'" \
		-filter_complex "[0][1]overlay=format=gbrp[a];[a][2]overlay=format=gbrp[b];[b][3]overlay=format=gbrp[c];[c][4]overlay=format=gbrp,scale=256:256:flags=area" \
		-frames:v 1 -q:v 3 -map_metadata -1 -fflags +bitexact -flags:v +bitexact "files/avatars/$1.jpg"
}

# geq wraps what leaves 0..255, so each colour ends in clip(…,0,255).

# The sun goes down over a glittering sea.
sun='hypot(X-180,Y-(255+14*T))'
glitter='exp(-abs(X-180)/(26+(Y-380)/2.6))*gt(sin(Y*Y/900+3*T+sin(X/17+T*1.7)*2.2),0.05)'
clip sunset 5 2 27 220 "color=black:s=360x640:r=25,format=gbrp,geq=\
r='clip(if(lt(Y,380),255*min(1,0.30+0.72*Y/380)+60*lt($sun,64)+70*exp(-$sun/90),255*(0.62-0.42*(Y-380)/260)+95*$glitter),0,255)':\
g='clip(if(lt(Y,380),255*(0.13+0.42*pow(Y/380,1.6))+90*lt($sun,64)+60*exp(-$sun/80),255*(0.28-0.18*(Y-380)/260)+105*$glitter),0,255)':\
b='clip(if(lt(Y,380),255*(0.42-0.12*Y/380)+40*lt($sun,64),255*(0.36-0.12*(Y-380)/260)+40*$glitter),0,255)',gblur=0.8"

# A Julia set whose parameter goes round: how many steps until a point escapes, as a colour.
escape='st(0,(Y-160)/108);st(1,(X-90)/108);st(6,0.7885*cos(2.45+0.2*T));st(7,0.7885*sin(2.45+0.2*T));st(2,0);while(lt(ld(2),44)*lt(ld(0)*ld(0)+ld(1)*ld(1),16),st(3,ld(0)*ld(0)-ld(1)*ld(1)+ld(6));st(1,2*ld(0)*ld(1)+ld(7));st(0,ld(3));st(2,ld(2)+1))'
clip julia 6 2.4 34 174 "color=black:s=180x320:r=25,format=gray,geq=\
lum='$escape;if(lt(ld(2),44),clip(255*sqrt(max(0,ld(2)+1-log(log(ld(0)*ld(0)+ld(1)*ld(1))/2)/log(2))/40),0,255),255)',scale=360:640:flags=bicubic,format=gbrp,pseudocolor=preset=magma"

# Conway's game of life, with afterglow.
clip life 5 2 33 196 "life=s=54x96:r=8:ratio=0.16:seed=7:mold=14:life_color=#7CFFCB:death_color=#1B1464:mold_color=#0B0B2B,scale=360:640:flags=neighbor,fps=25"

# Northern lights over a mountain.
ridge='gt(Y,250+22*sin(X/27+1)+9*sin(X/9))'
wave='26*sin(X/38+T*0.8)-14*sin(X/17-T*1.1)'
star='gt(mod(sin(floor(X)*12.9898+floor(Y)*78.233)*43758.5453,1),0.9972)'
clip aurora 5 2 27 130 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='clip(if($ridge,6,14+70*exp(-pow((Y-95-$wave)/34,2))*(0.55+0.45*sin(X/7+2*sin(T+X/40)))+190*$star),0,255)':\
g='clip(if($ridge,10,20+215*exp(-pow((Y-130-$wave)/50,2))*(0.62+0.38*sin(X/7+2*sin(T+X/40)))+190*$star),0,255)':\
b='clip(if($ridge,20,52+30*Y/320+120*exp(-pow((Y-105-$wave)/60,2))+170*$star),0,255)',scale=360:640:flags=bicubic"

# Raindrops on a pond.
drop='st(0,sin(hypot(X-50,Y-80)/4.5-T*7)*exp(-hypot(X-50,Y-80)/85)+sin(hypot(X-138,Y-160)/4-T*6)*exp(-hypot(X-138,Y-160)/80)+sin(hypot(X-60,Y-252)/5-T*8)*exp(-hypot(X-60,Y-252)/95))'
clip ripples 5 3 29 262 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='$drop;clip(16+30*Y/320+60*max(0,ld(0))+120*pow(max(0,ld(0)),4),0,255)':\
g='$drop;clip(112-36*Y/320+75*ld(0),0,255)':\
b='$drop;clip(142-20*Y/320+70*ld(0),0,255)',scale=360:640:flags=bicubic"

# A kaleidoscope of petals.
petal='st(0,hypot(X-90,Y-160));st(1,abs(mod(atan2(Y-160,X-90)*5/PI+10+T*0.35,2)-1));st(2,0.5+0.5*sin(ld(0)/12-T*2.2+4*ld(1)));st(3,0.5+0.5*sin(ld(0)/21+T*1.4-5*ld(1)))'
clip kaleidoscope 5 2 28 294 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='$petal;clip(34+215*ld(2)*(0.55+0.45*ld(3)),0,255)':\
g='$petal;clip(20+150*ld(2)*ld(3)+60*pow(ld(3),3),0,255)':\
b='$petal;clip(78+110*ld(3)+50*ld(2),0,255)',scale=360:640:flags=bicubic"

# Lights of a city at night, out of focus: two layers of cells, each with a disc of its own.
cells() { # SIZE DX DY SEED: 0 and 1 = place in the cell, 2 = its random number, 3 = how much of a disc is here
	echo "st(4,X+$2*T+900);st(5,Y+$3*T+900);st(2,mod(abs(sin(floor(ld(4)/$1)*12.9898+floor(ld(5)/$1)*78.233+$4)*43758.5453),1));st(0,mod(ld(4),$1)-$1*(0.36+0.28*ld(2)));st(1,mod(ld(5),$1)-$1*(0.36+0.28*mod(ld(2)*7.3,1)));st(6,$1*(0.20+0.15*mod(ld(2)*13.7,1)));st(3,(lt(hypot(ld(0),ld(1)),ld(6))*0.8+0.35*lt(abs(hypot(ld(0),ld(1))-ld(6)),1.3))*gt(mod(ld(2)*5.1,1),0.3)*(0.55+0.35*sin(T*1.6+ld(2)*40)))"
}
far=$(cells 37 5 -7 1); near=$(cells 74 -9 11 4)
clip bokeh 5 2 27 147 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='$far;st(7,ld(3)*(190-120*lt(ld(2),0.4)));$near;clip(20+22*Y/320+ld(7)+ld(3)*(225-150*gt(ld(2),0.7)),0,255)':\
g='$far;st(7,ld(3)*(80+90*ld(2)));$near;clip(13+ld(7)+ld(3)*(70+110*mod(ld(2)*3.3,1)),0,255)':\
b='$far;st(7,ld(3)*(90+150*lt(ld(2),0.5)));$near;clip(46+16*Y/320+ld(7)+ld(3)*(60+150*gt(ld(2),0.6)),0,255)',scale=360:640:flags=bicubic,gblur=1.2"

# Through a tunnel of stars.
streak='st(0,hypot(X-180,Y-320)+1);st(1,floor((atan2(Y-320,X-180)+PI)*19));st(2,mod(abs(sin(ld(1)*91.7))*437.58,1));st(3,mod(60*log(ld(0))*(0.6+0.5*ld(2))-T*(90+80*ld(2))+900*ld(2)+4000,130));st(4,exp(-pow((ld(3)-20)/(3+7*ld(2)),2))*min(1,ld(0)/110))'
clip warp 5 3 34 110 "color=black:s=360x640:r=25,format=gbrp,geq=\
r='$streak;clip(8+(255-170*lt(ld(2),0.35))*ld(4),0,255)':\
g='$streak;clip(8+(150+100*ld(2))*ld(4),0,255)':\
b='$streak;clip(24+60*exp(-ld(0)/120)+(255-110*gt(ld(2),0.8))*ld(4),0,255)',gblur=1.2"

# A pendulum wave: nine balls, each a little faster than the one before.
ball='st(0,floor(X/20));st(1,hypot(X-20*ld(0)-10,Y-160-118*cos((T+2)*(1.6+0.16*ld(0)))));st(2,clip(9.2-ld(1),0,1))'
clip pendulum 6 2 28 330 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='$ball;(1-ld(2))*(250-22*Y/320)+ld(2)*(236-170*pow(ld(0)/8,1.5))':\
g='$ball;(1-ld(2))*(240-46*Y/320)+ld(2)*(84+96*sin(ld(0)/8*PI))':\
b='$ball;(1-ld(2))*(226-8*Y/320)+ld(2)*(92+140*ld(0)/8)',scale=360:640:flags=bicubic"

# Silk: colours that fold into each other.
fold='st(0,X/60+sin(Y/45+T*0.7)+0.5*sin(X/23-T));st(1,Y/70+sin(ld(0)*1.7+T*0.5));st(2,0.5+0.5*sin(ld(1)*2.1+ld(0)));st(3,0.5+0.5*sin(ld(1)*3.1-ld(0)*0.7+1))'
clip silk 6 3 28 165 "color=black:s=180x320:r=25,format=gbrp,geq=\
r='$fold;clip(24+226*ld(2),0,255)':\
g='$fold;clip(22+130*pow(ld(2),2)+60*ld(3),0,255)':\
b='$fold;clip(84+110*(1-ld(2))+60*pow(ld(2),5),0,255)',scale=360:640:flags=bicubic"

fringe='lt(Y,224+14*sin(X/26))'
bob='(lt(Y,216)+gt(abs(X-256),158))'
bun='lt(Y,206-0.0016*pow(X-256,2))'
short='lt(Y,190+10*abs(sin(X/30)))'
side='lt(Y,168+0.16*X)*lt(Y,226)'
spikes='lt(Y,212+26*abs(mod(X/44,2)-1))'
avatar xiaoman 0xffd3b6 0xffe4cf 24 0x2c2230 "$bob"
avatar leo     0x9ad9e8 0xf3c9a5 18 0x7a4a2a "$spikes"
avatar amei    0xf7b7c8 0xffdfc6 26 0x5b2f22 "$fringe"
avatar nova    0xb9a7ee 0xd9a27c 14 0x1d1a26 "$side"
avatar dashan  0xb8e0b0 0xf6d0a8 10 0x15151c "$short"
avatar yuki    0xffe28a 0xffe9d8 20 0xb0683a "$bun"
