# gnuplot -c xor.gp PICTURE LOG.csv NAME [LOG.csv NAME ...]
load ARG0[:strstrt(ARG0, 'xor.gp') - 1].'style.gp'
set output ARG1
set title 'Bit-stream XOR: accuracy on test streams'
set xlabel 'epoch'
set ylabel 'accuracy'
set yrange [0.5:1]
array colours[3] = ['#7f7f7f', '#ff7f0e', '#1f77b4']
plot for [i = 1:(ARGC - 1) / 2] value(sprintf('ARG%d', 2 * i)) using 'epoch':'validation_accuracy' with lines lw 2.5 \
  lc rgb colours[i] title value(sprintf('ARG%d', 2 * i + 1)) noenhanced
