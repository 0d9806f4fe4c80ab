print("flatbook")
