# What all plots share. Colours are those of the wirings' pictures.
set datafile separator ','
set terminal pngcairo size 960,540 font 'sans,13'
set border 3 lw 1.2 lc rgb '#444444'
set tics nomirror out
set grid ytics lc rgb '#dddddd' lw 1
set key above right samplen 2
set lmargin 9
