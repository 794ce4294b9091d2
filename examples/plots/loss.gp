# gnuplot -c loss.gp PICTURE LOSSES.csv CURVES
load ARG0[:strstrt(ARG0, 'loss.gp') - 1].'style.gp'
set output ARG1
set title 'Training loss'
set xlabel 'epoch'
set ylabel 'mean squared error'
set logscale y
set format y '10^{%T}'
set lmargin 11
array colours[3] = ['#1f77b4', '#ff7f0e', '#7f7f7f']
plot for [i = 1:int(ARG3)] ARG2 using 1:i + 1 with lines lw 2.5 lc rgb colours[i] title columnheader(i + 1) noenhanced
