// What is shown is the very file that runs beside it.
const response = await fetch('/snippet.js')
document.querySelector('#source').textContent = await response.text()
