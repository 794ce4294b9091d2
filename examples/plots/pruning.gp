# gnuplot -c pruning.gp PICTURE PRUNING.csv
load ARG0[:strstrt(ARG0, 'pruning.gp') - 1].'style.gp'
set output ARG1
set title 'Loss against synapses'
set xlabel 'synapses left'
set ylabel 'mean squared error'
set logscale xy
set format y '10^{%T}'
set lmargin 11
stats ARG2 using 'synapses' nooutput
set xrange [STATS_max * 1.1:STATS_min / 1.1] reverse
set xtics (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 80, 120, 200, 400, 800)
# Before the first training nothing was pruned.
plot ARG2 using 'synapses':(column('round') > 0 ? column('before') : NaN) with linespoints pt 6 ps 1.3 lw 1.5 \
       dt (6,5) lc rgb '#d62728' title 'as pruned', \
     ARG2 using 'synapses':'after' with linespoints pt 7 ps 1.3 lw 2.5 lc rgb '#1f77b4' title 'trained on'
