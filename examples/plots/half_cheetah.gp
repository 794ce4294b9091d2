# gnuplot -c half_cheetah.gp PICTURE PREDICTION.csv NAME
load ARG0[:strstrt(ARG0, 'half_cheetah.gp') - 1].'style.gp'
set terminal pngcairo size 960,900 font 'sans,13'
set output ARG1
set multiplot layout 3,1 title sprintf('A half-cheetah''s joints, one step ahead: %s', ARG3) font 'sans,15'
set xrange [0:199]
set ylabel 'angle, radians'
array joints[3] = ['back thigh', 'back shin', 'front thigh']
array columns[3] = [2, 3, 5]
do for [k = 1:3] {
  if (k == 3) { set xlabel 'time step' }
  set title joints[k]
  plot ARG2 using 'step':sprintf('true_%d', columns[k]) with lines lw 3 lc rgb '#ff7f0e' title 'true', \
       ARG2 using 'step':sprintf('predicted_%d', columns[k]) with lines lw 2 dt (8,5) lc rgb '#1f77b4' title 'predicted'
}
unset multiplot
