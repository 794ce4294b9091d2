# gnuplot -c time_constants.gp PICTURE TIME_CONSTANTS.csv MOTOR COMMAND INTER (numbers of neurons, in this order)
load ARG0[:strstrt(ARG0, 'time_constants.gp') - 1].'style.gp'
set terminal pngcairo size 960,1080 font 'sans,13'
set output ARG1
motor = int(ARG3)
command = int(ARG4)
units = motor + command + int(ARG5)
# Shades of the colours of the wirings' pictures: of the type's colour, up to nearly white.
mix(c, k, n) = int(c + (240 - c) * (n < 2 ? 0 : 0.75 * k / (n - 1.0)))
shade(r, g, b, k, n) = 65536 * mix(r, k, n) + 256 * mix(g, k, n) + mix(b, k, n)
colour(i) = i < motor ? shade(255, 127, 14, i, motor) : \
  i < motor + command ? shade(12, 150, 165, i - motor, command) : \
  shade(24, 80, 150, i - motor - command, units - motor - command)
width(i) = i < motor ? 3 : 2
# A name a neuron, or, where they are many, a type.
type(name) = word(name, 2)
is_first(i) = i == 0 || i == motor || i == motor + command
label(i, name) = units <= 12 ? name[strstrt(name, ' ') + 1:] : is_first(i) ? type(name) : ''
set multiplot layout 3,1 title 'A liquid time-constant network on its task' font 'sans,15'
set xrange [0:47]
set rmargin 18
set lmargin 11
set key at screen 0.985, graph 1 right top vertical maxrows 16 samplen 1.6 reverse Left
set ylabel 'output'
set yrange [-1.3:1.3]
plot ARG2 using 'step':'target' with lines lw 3 lc rgb '#bbbbbb' title 'target', \
     ARG2 using 'step':'output' with lines lw 2.5 dt (8,5) lc rgb '#ff7f0e' title 'output'
unset yrange
set yrange [*:*]
set ylabel 'membrane potential v'
plot for [i = 0:units - 1] ARG2 using 1:i + 4 with lines lw width(i) lc rgb colour(i) \
  title label(i, columnheader(i + 4))
set ylabel 'time constant, in steps'
set xlabel 'time step'
set logscale y
plot for [i = 0:units - 1] ARG2 using 1:units + i + 4 with lines lw width(i) lc rgb colour(i) \
  title label(i, columnheader(units + i + 4))
unset multiplot
