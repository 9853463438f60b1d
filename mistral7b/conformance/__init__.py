"""How AWS answers: scenarios to record in an account, and recordings to hold the embedded AWS against."""
