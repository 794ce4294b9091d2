# gnuplot -c papers.gp PICTURE TABLE.csv TITLE LABEL CONTENDERS LOW HIGH, the last two of the scores
load ARG0[:strstrt(ARG0, 'papers.gp') - 1].'style.gp'
set output ARG1
set title ARG3
set ylabel ARG4
set xrange [-0.5:ARG5 - 0.5]
margin = 0.1 * (ARG7 - ARG6) + 1e-3
set yrange [ARG6 - margin:ARG7 + margin]
set xtics noenhanced
set datafile columnheaders
# A contender without a published score has none to draw.
published(k) = strlen(strcol(k)) ? real(strcol(k)) : NaN
plot ARG2 using 0:3:xtic(1) with points ps 0 notitle, \
     ARG2 using ($0 - 0.1):(published(5)):(published(6)) with yerrorbars pt 7 ps 1.4 lw 2 \
       lc rgb '#ff7f0e' title 'published', \
     ARG2 using ($0 + 0.1):3:4 with yerrorbars pt 7 ps 1.4 lw 2 lc rgb '#1f77b4' title 'here'
