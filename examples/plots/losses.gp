# gnuplot -c losses.gp PICTURE LOSSES.csv NAME
load ARG0[:strstrt(ARG0, 'losses.gp') - 1].'style.gp'
set output ARG1
set title sprintf('Losses: %s', ARG3)
set xlabel 'epoch'
set ylabel 'loss'
set logscale y
plot ARG2 using 'epoch':'training' with lines lw 2.5 lc rgb '#1f77b4' title 'training', \
     ARG2 using 'epoch':'validation' with lines lw 2.5 lc rgb '#ff7f0e' title 'validation'
