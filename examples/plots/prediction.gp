# gnuplot -c prediction.gp PICTURE PREDICTION.csv before|after NAME
load ARG0[:strstrt(ARG0, 'prediction.gp') - 1].'style.gp'
set output ARG1
set title sprintf('Prediction %s training: %s', ARG3, ARG4) noenhanced
set xlabel 'time step'
set xrange [0:47]
plot ARG2 using 'step':'target' with lines lw 3 lc rgb '#ff7f0e' title 'target', \
     ARG2 using 'step':ARG3 with lines lw 3 dt (8,5) lc rgb '#1f77b4' title 'output'
