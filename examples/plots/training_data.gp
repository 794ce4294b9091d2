# gnuplot -c training_data.gp PICTURE DATA.csv
load ARG0[:strstrt(ARG0, 'training_data.gp') - 1].'style.gp'
set output ARG1
set title 'Training data'
set xlabel 'time step'
set xrange [0:47]
set yrange [-1.15:1.15]
plot ARG2 using 'step':'sin' with lines lw 2 lc rgb '#bcbd22' title 'input: sin', \
     ARG2 using 'step':'cos' with lines lw 2 lc rgb '#1f77b4' title 'input: cos', \
     ARG2 using 'step':'target' with lines lw 3 lc rgb '#ff7f0e' title 'target'
